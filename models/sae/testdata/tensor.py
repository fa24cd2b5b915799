"""One training step of the Tensor-SAE in PyTorch, in float64. Writes tensor.json beside itself.

usage: python models/sae/testdata/tensor.py
Needs torch. Written from the definition of the paper's reproduction notebook: einsum over the factors, no dictionary.
"""
import json
import os

import torch

torch.set_default_dtype(torch.float64)
C, H, W, F, B = 2, 3, 4, 7, 10
D = C * H * W
LR, BETA1, BETA2, EPS = 0.01, 0.9, 0.999, 1e-8


def run(name, k, lam):
    torch.manual_seed(5)
    shapes = {"A_colour": (F, C), "A_height": (F, H), "A_width": (F, W), "W_enc": (D, F), "b_enc": (F,), "b_dec": (D,)}
    params = {n: (0.6 * torch.randn(*s)).to(torch.float32).double().requires_grad_() for n, s in shapes.items()}
    x = torch.randn(B, D).to(torch.float32).double()
    c, h, w = [torch.nn.functional.normalize(params[n], dim=1) for n in ["A_colour", "A_height", "A_width"]]
    z = torch.relu((x - params["b_dec"]) @ params["W_enc"] + params["b_enc"])
    if k is not None:
        kept = z.topk(k, dim=1)
        z = torch.zeros_like(z).scatter(1, kept.indices, kept.values)
    image = torch.einsum("bk,kc,kh,kw->bchw", z, c, h, w).reshape(B, D) + params["b_dec"]
    mse = ((x - image) ** 2).sum(1).mean()
    l1 = z.sum(1).mean()
    total = mse + (lam * l1 if k is None else 0)
    total.backward()
    flat = lambda t: [float(v) for v in t.detach().flatten()]
    numbers = lambda of: {n: flat(of(p)) for n, p in params.items()}
    before, grads = numbers(lambda p: p), numbers(lambda p: p.grad)
    torch.optim.Adam(list(params.values()), lr=LR, betas=(BETA1, BETA2), eps=EPS).step()
    return {
        "name": name, "variant": "tensor", "hp": {"k": k, "lambda": lam, "deadBias": 0}, "variance": 1, "lr": LR, "beta1": BETA1,
        "epsilon": EPS, "clip": None, "shapes": {n: list(s) for n, s in shapes.items()}, "params": before, "x": flat(x),
        "dead": [0] * F, "total": float(total.detach()), "parts": {"mse": float(mse.detach()), "l1": float(l1.detach())},
        "codes": flat(z), "reconstruction": flat(image), "decoded": flat(image), "grads": grads,
        "after": numbers(lambda p: p),
    }


def rounded(value):
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


cases = [run("tensor", 3, 0.3), run("tensor, an L1 penalty", None, 0.3)]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tensor.json")
with open(path, "w") as out:
    json.dump(rounded({"torch": torch.__version__, "d_in": D, "d_sae": F, "n": B, "cases": cases}), out)
print(path, os.path.getsize(path))
