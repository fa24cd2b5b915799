"""The MS score by its O(N²) definition in PyTorch: seconds, extrapolated from PAIRS block pairs and SAMPLE latents.

usage: ms_score.py N F L0 D SAMPLE PAIRS
As in the official code the similarity matrix is made block by block. It serves all latents, so its time is counted once;
the sum over pairs is timed for SAMPLE latents and scaled by F / SAMPLE. The denominator costs nothing here: off the
diagonal it is a product of two sums.
"""

import sys
import time

import torch

from common import report

n, f, l0, d, sample, pairs = map(int, sys.argv[1:7])
torch.manual_seed(0)
block = 1000
blocks = n // block
e = torch.nn.functional.normalize(torch.randn(n, d), dim=1)
a = torch.where(torch.rand(n, sample) < l0 / f, torch.rand(n, sample), torch.zeros(()))
total = torch.zeros(sample, dtype=torch.float64)
similarity = products = 0.0
for p in range(pairs + 1):
    i, j = p % blocks * block, (7 * p + 1) % blocks * block
    start = time.perf_counter()
    s = e[i : i + block] @ e[j : j + block].t()
    middle = time.perf_counter()
    total += (a[i : i + block] * (s @ a[j : j + block])).sum(0).double()
    if p > 0:
        similarity += middle - start
        products += time.perf_counter() - middle
scale = blocks * (blocks + 1) / 2 / pairs
report((similarity + products * f / sample) * scale, "s", f"O(N²) definition, {pairs} block pairs and {sample} of {f} latents timed")
