"""One training step of the SAE neural operator in PyTorch, in float64, by torch.fft. Writes fno.json beside itself.

usage: python models/sae/testdata/fno.py
Needs torch. Written from the paper's definition: kernels of S Fourier modes, transforms divided by the number of points, TopK over
all concepts and points. `finer` holds functions on a grid twice as fine and what inference makes of them.
"""
import json
import os

import torch

torch.set_default_dtype(torch.float64)
N, B = 8, 6
LR, BETA1, BETA2, EPS, VARIANCE = 0.01, 0.9, 0.999, 1e-8, 1.25


def forward(p, x, k, S, lift, grid):
    C, P = p["b_dec_re"].shape[1], p["b_enc"].shape[0]
    points = x.shape[1] // C
    spectrum = torch.fft.rfft(x.reshape(-1, C, points), norm="forward")[..., :S]
    bias = torch.complex(p["b_dec_re"], p["b_dec_im"])
    centred = spectrum - bias
    if lift is not None:
        centred = torch.einsum("ncm,cl->nlm", centred, p["lift"].to(centred.dtype))
    E, D = torch.complex(p["E_re"], p["E_im"]), torch.complex(p["D_re"], p["D_im"])
    back = lambda f: torch.fft.irfft(torch.nn.functional.pad(real(f), (0, points // 2 + 1 - f.shape[-1])), n=points, norm="forward")
    # The imaginary part of the constant mode carries nothing.
    real = lambda f: torch.cat([f[..., :1].real.to(f.dtype), f[..., 1:]], -1)
    maps = back(torch.einsum("ncm,pcm->npm", centred, E.conj())) + p["b_enc"][None, :, None]
    flat = torch.relu(maps).reshape(len(x), -1)
    kept = flat.topk(round(k * points / grid), dim=1)
    z = torch.zeros_like(flat).scatter(1, kept.indices, kept.values)
    zs = torch.fft.rfft(z.reshape(-1, P, points), norm="forward")[..., :S]
    made = torch.einsum("npm,pcm->ncm", zs, D)
    if lift is not None:
        made = torch.einsum("nlm,lc->ncm", made, p["project"].to(made.dtype))
    return z, back(made + bias).reshape(len(x), -1)


def run(name, C, P, k, S, lift, points=N):
    torch.manual_seed(3)
    inner = lift or C
    shapes = {"E_re": (P, inner, S), "E_im": (P, inner, S), "D_re": (P, inner, S), "D_im": (P, inner, S), "b_enc": (P,),
              "b_dec_re": (1, C, S), "b_dec_im": (1, C, S)}
    if lift is not None:
        shapes |= {"lift": (C, lift), "project": (lift, C)}
    p = {n: (0.8 * torch.randn(*s)).to(torch.float32).double().requires_grad_() for n, s in shapes.items()}
    x = torch.randn(B, C * points).to(torch.float32).double()
    z, x_hat = forward(p, x, k, S, lift, points)
    total = ((x - x_hat) ** 2).sum() / (VARIANCE * x.numel())
    total.backward()
    flat = lambda t: [float(v) for v in t.detach().flatten()]
    numbers = lambda of: {n: flat(of(t)) for n, t in p.items()}
    finer = torch.randn(2, C * points * 2).to(torch.float32).double()
    finer_hat = flat(forward(p, finer, k, S, lift, points)[1])
    zero = lambda t: t.grad if t.grad is not None else torch.zeros_like(t)
    before, grads = numbers(lambda t: t), numbers(zero)
    torch.optim.Adam(list(p.values()), lr=LR, betas=(BETA1, BETA2), eps=EPS).step()
    return {
        "name": name, "variant": "fno", "hp": {"k": k, "modes": S, "lift": lift, "deadBias": 0}, "variance": VARIANCE,
        "d_in": C * points, "d_sae": P * points, "n": B, "lr": LR, "beta1": BETA1, "epsilon": EPS, "clip": None,
        "shapes": {n: list(s) for n, s in shapes.items()} | {"grid": []}, "params": before, "buffers": {"grid": [points]},
        "x": flat(x), "dead": [0] * (P * points), "total": float(total.detach()), "parts": {"nmse": float(total.detach())},
        "codes": flat(z), "reconstruction": flat(x_hat), "grads": grads, "after": numbers(lambda t: t),
        "finer": {"x": flat(finer), "decoded": finer_hat},
    }


def rounded(value):
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


cases = [
    run("fno", C=1, P=3, k=5, S=3, lift=None),
    run("fno, channels lifted", C=2, P=3, k=4, S=4, lift=3),
    run("fno on one point, the L-SAE", C=5, P=6, k=3, S=1, lift=7, points=1),
]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fno.json")
with open(path, "w") as out:
    json.dump(rounded({"torch": torch.__version__, "cases": cases}), out)
print(path, os.path.getsize(path))
