"""One training step of the crosscoder in PyTorch (float64), written from the formulas. Writes crosscoder.json beside itself.

usage: python models/sae/testdata/crosscoder.py
Lindsey et al. 2024 for the architecture, Minder et al. 2025 (arXiv:2504.02922) for BatchTopK over latents times decoder norms.
"""
import json
import os

import torch

torch.manual_seed(19)
torch.set_default_dtype(torch.float64)
L, D, F, B, K = 3, 4, 12, 8, 3
LR, BETA1, BETA2, EPS, CLIP = 0.01, 0.9, 0.999, 6.25e-10, 1.0
numbers = lambda t: [round(float(v), 9) for v in t.detach().flatten()]
single = lambda t: t.float().double()

variances = single(torch.tensor([0.5, 1.25, 4.0]))
W_enc = single(0.5 * torch.randn(L, D, F)).requires_grad_(True)
W_dec = single(0.7 * torch.randn(F, L, D)).requires_grad_(True)
b_enc = single(0.1 * torch.randn(F)).requires_grad_(True)
b_dec = single(0.2 * torch.randn(L, D)).requires_grad_(True)
x = single(1.2 * torch.randn(B, L, D) * variances.sqrt()[None, :, None])
params = {"W_enc": W_enc, "b_enc": b_enc, "W_dec": W_dec, "b_dec": b_dec}
named = lambda of: {n: numbers(of(p)) for n, p in params.items()}
start = named(lambda p: p)
f = torch.relu(torch.einsum("bld,ldf->bf", x, W_enc) + b_enc)
norms = (W_dec.norm(dim=2) / variances.sqrt()).sum(1)
scaled = (f * norms).flatten()
kept = torch.zeros_like(scaled).scatter(0, scaled.topk(K * B).indices, 1.0).reshape(B, F)
f = f * kept
recon = torch.einsum("bf,fld->bld", f, W_dec) + b_dec
errors = ((x - recon) ** 2).mean(dim=(0, 2)) / variances
total = errors.mean()
total.backward()
grads = named(lambda p: p.grad)
torch.nn.utils.clip_grad_norm_(list(params.values()), CLIP)
torch.optim.Adam(list(params.values()), lr=LR, betas=(BETA1, BETA2), eps=EPS).step()
case = {
    "name": "crosscoder", "variant": "crosscoder", "hp": {"k": K}, "variance": 1.0, "lr": LR, "beta1": BETA1,
    "epsilon": EPS, "clip": CLIP, "shapes": {"variances": [L]}, "buffers": {"variances": numbers(variances)},
    "params": start, "x": numbers(x), "dead": [0] * F, "total": float(total.detach()),
    "parts": {"nmse": float(total.detach()), **{f"nmse.{l}": float(errors[l].detach()) for l in range(L)}},
    # Codes as they compete: times the decoder norms.
    "codes": numbers(f * norms), "reconstruction": numbers(recon), "grads": grads, "after": named(lambda p: p),
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "crosscoder.json")
with open(path, "w") as out:
    json.dump({"torch": torch.__version__, "d_in": L * D, "d_sae": F, "n": B, "cases": [case]}, out)
print(path, os.path.getsize(path))
