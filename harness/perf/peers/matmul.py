"""PyTorch float32 matrix product: GFLOP/s at m k n."""

import sys

import torch

from common import report, seconds, torch_note

m, k, n = map(int, sys.argv[1:4])
a, b = torch.randn(m, k), torch.randn(k, n)
out = torch.empty(m, n)
flops = 2.0 * m * k * n
report(flops / seconds(lambda: torch.mm(a, b, out=out), max(5, int(2e10 / flops))) / 1e9, "GFLOP/s", torch_note(torch))
