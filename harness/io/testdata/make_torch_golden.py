"""Writes state.golden.pt, hostile.golden.pt and whole.golden.pt: references for torch.test.ts.

Made with torch 2.13.0:  python make_torch_golden.py
"""
import collections
import os
import pathlib

import torch

here = pathlib.Path(__file__).parent
grid = torch.arange(12, dtype=torch.float32).reshape(3, 4)
layer = torch.nn.Linear(2, 3)
with torch.no_grad():
    layer.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    layer.bias.zero_()
torch.save(
    {
        "state": layer.state_dict(),
        "plain": grid,
        "transposed": grid.T,
        "slice": grid[1:, 1:3],
        "half": grid.half(),
        "brain": grid.bfloat16(),
        "ids": torch.tensor([1, -2, 2**40]),
        "scalar": torch.tensor(2.5, dtype=torch.float64),
        "mask": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "step": 1000,
        "lr": 1e-4,
        "name": "sae",
        "done": True,
        "nothing": None,
        "sizes": [grid.shape, (5, 6)],
        "nested": collections.OrderedDict(a={"b": torch.zeros(1)}),
    },
    here / "state.golden.pt",
)
torch.save(layer, here / "whole.golden.pt")


class Hostile:
    def __reduce__(self):
        return os.system, ("touch executed",)


torch.save({"w": grid, "x": Hostile()}, here / "hostile.golden.pt")
