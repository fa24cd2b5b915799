"""One training step of KronSAE in PyTorch (float64), written from the paper's equations (arXiv:2505.22255) and independent of the
TypeScript code; x is centred by b_dec, and the loss is in units of the data's variance, as in the TopK family. Writes kron.json
beside itself: python models/sae/testdata/kron.py"""
import json
import os

import torch

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)
D, F, B = 6, 12, 8
LR, BETA1, BETA2, EPS, CLIP, VARIANCE = 0.01, 0.9, 0.999, 6.25e-10, 1.0, 1.25


def mand(u, v):
    both = (u > 0) & (v > 0)
    return torch.where(both, torch.where(both, u * v, torch.ones_like(u * v)).sqrt(), torch.zeros_like(u * v))


def keep_top(a, k):
    values, indices = a.topk(k, dim=-1)
    return torch.zeros_like(a).scatter(-1, indices, values)


def run(name, k, heads, m, n, aux_k, aux_alpha):
    W_dec = torch.randn(F, D)
    params = {
        "W_base": torch.randn(D, heads * m), "W_extension": torch.randn(D, heads * n),
        "W_dec": W_dec / W_dec.norm(dim=1, keepdim=True), "b_dec": 0.2 * torch.randn(D),
    }
    p = {key: value.float().double().requires_grad_(True) for key, value in params.items()}
    x = (1.2 * torch.randn(B, D)).float().double()
    dead = torch.zeros(F)
    dead[[1, 4, 5, 9]] = 1
    centred = x - p["b_dec"]
    u = (centred @ p["W_base"]).reshape(B, heads, m, 1)
    v = (centred @ p["W_extension"]).reshape(B, heads, 1, n)
    z = mand(u, v).reshape(B, F)
    f = keep_top(z, k)
    recon = f @ p["W_dec"] + p["b_dec"]
    nmse = ((x - recon) ** 2).mean() / VARIANCE
    e = (x - recon).detach()
    ehat = keep_top(z * dead, min(aux_k, int(dead.sum()))) @ p["W_dec"]
    aux = ((e - ehat) ** 2).sum() / ((e - e.mean(0)) ** 2).sum()
    total = nmse + aux_alpha * aux
    total.backward()
    W = p["W_dec"].detach()
    p["W_dec"].grad -= (p["W_dec"].grad * W).sum(1, keepdim=True) * W
    numbers = lambda t: [round(float(value), 9) for value in t.detach().flatten()]
    named = lambda d: {key: numbers(value) for key, value in d.items()}
    before, grads = named(p), named({key: value.grad for key, value in p.items()})
    torch.nn.utils.clip_grad_norm_(list(p.values()), CLIP)
    torch.optim.Adam(list(p.values()), lr=LR, betas=(BETA1, BETA2), eps=EPS).step()
    after = {key: value.detach().clone() for key, value in p.items()}
    after["W_dec"] /= after["W_dec"].norm(dim=1, keepdim=True)
    return {
        "name": name, "variant": "kron",
        "hp": {"k": k, "m": m, "n": n, "heads": None, "auxAlpha": aux_alpha, "auxK": aux_k}, "variance": VARIANCE,
        "lr": LR, "beta1": BETA1, "epsilon": EPS, "clip": CLIP,
        "shapes": {"W_base": [D, heads * m], "W_extension": [D, heads * n]},
        "params": before, "x": numbers(x), "dead": numbers(dead), "total": float(total.detach()),
        "parts": {"nmse": float(nmse.detach()), "aux": float(aux.detach())}, "codes": numbers(f),
        "reconstruction": numbers(recon), "grads": grads, "after": named(after),
    }


cases = [
    run("kron, 2 heads of 2 by 3", 3, 2, 2, 3, 2, 1 / 32),
    run("kron, heads of 1 by 4", 2, 3, 1, 4, 4, 0.5),
    run("kron, more kept than are above 0", 12, 1, 3, 4, 2, 1 / 32),
]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kron.json")
with open(path, "w") as out:
    json.dump({"torch": torch.__version__, "d_in": D, "d_sae": F, "n": B, "cases": cases}, out)
print(path, os.path.getsize(path))
