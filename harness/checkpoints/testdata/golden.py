"""What the make_*.py scripts share: small random weights, and what the original library computes with them.

Each case is a folder as the original program leaves it, and beside it NAME.expected.json: rows x, and the codes and
reconstructions that the original gives for them; `facts` is what must be read from the files, `given` what a person adds.
"""
import importlib.abc
import importlib.machinery
import json
import pathlib
import shutil
import sys
from unittest.mock import MagicMock

import torch

D, F, ROWS = 8, 24, 4
HERE = pathlib.Path(__file__).parent


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules that a package imports on loading and its SAEs do not run: plots, images, data sets."""

    def __init__(self, *names: str):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if name.split(".")[0] in self.names else None

    def create_module(self, spec):
        module = MagicMock()
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module

    def exec_module(self, module):
        pass


def stub(*names: str) -> None:
    sys.meta_path.insert(0, Stubs(*names))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def randomise(module: torch.nn.Module, seed: int, scale: float = 0.6) -> None:
    """Every parameter random: zeros and unit rows would hide a transpose, a bias or a norm that is left out."""
    g = seeded(seed)
    for parameter in module.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=g) * scale)


def rows(seed: int = 99, d: int = D) -> torch.Tensor:
    """Of uneven length, off centre: both scalings of rows show."""
    g = seeded(seed)
    return torch.randn(ROWS, d, generator=g) * torch.tensor([[0.5], [1.0], [2.0], [4.0]]) + 0.3


def folder(layout: str, name: str) -> pathlib.Path:
    path = HERE / layout / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def expected(path: pathlib.Path, x, codes, reconstruction, facts: dict, **more) -> None:
    numbers = lambda t: [float(f"{v:.8g}") for v in t.detach().double().flatten().tolist()]
    content = {"x": numbers(x), "codes": numbers(codes), "reconstruction": numbers(reconstruction), "facts": facts, **more}
    path.with_name(f"{path.name}.expected.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")


def write_json(path: pathlib.Path, content: dict) -> None:
    path.write_text(json.dumps(content) + "\n")
