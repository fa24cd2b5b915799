"""What the make_*.py scripts share: small random weights, and what the original library computes with them.

Each case is a folder as the original program leaves it, and beside it NAME.expected.json: rows x, and the codes and
reconstructions that the original gives for them; `facts` is what must be read from the files, `given` what a person adds.
"""
import json
import pathlib
import shutil

import torch

D, F, ROWS = 8, 24, 4
HERE = pathlib.Path(__file__).parent


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
