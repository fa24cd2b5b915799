"""Writes tiny.golden.safetensors: the reference bytes for safetensors.test.ts.

Made with torch 2.13.0 and safetensors 0.8.0:  python make_safetensors_golden.py
"""
import pathlib

import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
save_file(
    {
        "w": torch.tensor([[1.5, -2.25, 3.0], [0.1, 1e-8, 65504.0]], dtype=torch.float32),
        "half": torch.tensor([1.0, -0.333, 6.1e-5, 5.96e-8, 65504.0], dtype=torch.float16),
        "brain": torch.tensor([1.0, -0.333, 3.0e38, 1e-40], dtype=torch.bfloat16),
        "double": torch.tensor([0.1, -1e300], dtype=torch.float64),
        "ids": torch.tensor([[0, -1], [2**31 - 1, 5]], dtype=torch.int64),
        "long": torch.tensor([2**53 - 1, -(2**40)], dtype=torch.int64),
        "count": torch.tensor([7, -8], dtype=torch.int32),
        "bytes": torch.tensor([0, 255, 3], dtype=torch.uint8),
        "mask": torch.tensor([True, False]),
        "scalar": torch.tensor(2.5, dtype=torch.float32),
        "empty": torch.zeros(0, 4, dtype=torch.float32),
        "é.名": torch.tensor([1.0], dtype=torch.float32),
    },
    here / "tiny.golden.safetensors",
    metadata={"format": "pt"},
)
