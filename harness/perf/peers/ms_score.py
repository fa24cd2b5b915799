"""The MS score by its O(N²) definition in PyTorch: seconds for one latent batch, extrapolated to all F latents.

usage: ms_score.py N F L0 D SAMPLE
The definition costs the same for every block of latents, so SAMPLE latents are timed and scaled by F / SAMPLE; the
similarity matrix is computed block by block as the official code does.
"""

import sys
import time

import torch

from common import report

n, f, l0, d, sample = map(int, sys.argv[1:6])
torch.manual_seed(0)
e = torch.nn.functional.normalize(torch.randn(n, d), dim=1)
a = torch.where(torch.rand(n, sample) < l0 / f, torch.rand(n, sample), torch.zeros(()))
block = 1000
start = time.perf_counter()
num = torch.zeros(sample, dtype=torch.float64)
den = torch.zeros(sample, dtype=torch.float64)
for i in range(0, n, block):
    for j in range(i, n, block):
        s = e[i : i + block] @ e[j : j + block].t()
        ai, aj = a[i : i + block], a[j : j + block]
        if i == j:
            s = s.triu(1)
            ones = torch.ones_like(s).triu(1)
        else:
            ones = torch.ones_like(s)
        num += (ai * (s @ aj)).sum(0).double()
        den += (ai * (ones @ aj)).sum(0).double()
elapsed = time.perf_counter() - start
report(elapsed * f / sample, "s", f"O(N²) definition, {sample} of {f} latents timed")
