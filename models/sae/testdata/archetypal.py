"""One training step of the archetypal SAE in float64, with the original's dictionary. Writes archetypal.json beside itself.

usage: python models/sae/testdata/archetypal.py FOLDER
FOLDER: a clone of github.com/KempnerInstitute/overcomplete (commit a1781af), whose RelaxedArchetypalDictionary builds the atoms and
keeps them in bounds. Needs torch. Encoder, TopK, loss and AuxK are written from Gao et al. 2024. What Adam moves of the relaxation is
Lambda over UNIT, the root of the width.
"""
import importlib.util
import json
import os
import sys

import torch

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)
D, F, C, B, K, AUX_K, ALPHA = 6, 12, 5, 8, 3, 2, 1 / 32
LR, BETA1, BETA2, EPS, CLIP, VARIANCE, SIZE = 0.05, 0.9, 0.999, 6.25e-10, 1.0, 1.25, 1.5
UNIT = D**0.5


def original(folder):
    path = os.path.join(folder, "overcomplete", "sae", "archetypal_dictionary.py")
    spec = importlib.util.spec_from_file_location("archetypal_dictionary", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.RelaxedArchetypalDictionary


def keep_top(a, k):
    values, indices = a.topk(k, dim=-1)
    return torch.zeros_like(a).scatter(-1, indices, values)


def run(make, name, delta, alpha):
    single = lambda t: t.float().double()
    points = single(torch.randn(C, D))
    dictionary = make(D, F, points, delta=delta)
    dictionary.train()
    with torch.no_grad():
        dictionary.W.copy_(torch.rand(F, C))
        dictionary.Relax.copy_(0.5 * torch.randn(F, D))
        dictionary.multiplier.fill_(0.25)
        # Brings both into their bounds.
        dictionary.get_dictionary()
        dictionary.W.copy_(single(dictionary.W))
    Lambda = single(dictionary.Relax / UNIT).detach().requires_grad_(True)
    # What float32 rounds off would be normalised away once more before the step.
    frozen = lambda: (dictionary.W @ dictionary.C + UNIT * Lambda) * torch.exp(dictionary.multiplier)
    W_enc = single(0.6 * torch.randn(D, F)).requires_grad_(True)
    b_enc = single(0.2 * torch.randn(F)).requires_grad_(True)
    x = single(1.2 * torch.randn(B, D))
    dead = torch.zeros(F)
    dead[[1, 4, 5, 9]] = 1
    params = {"W_enc": W_enc, "b_enc": b_enc, "W": dictionary.W, "Lambda": Lambda, "s": dictionary.multiplier}
    numbers = lambda t: [round(float(v), 9) for v in t.detach().flatten()]
    named = lambda of: {n: numbers(of(p)) for n, p in params.items()}
    start = named(lambda p: p)

    atoms = frozen()
    pre = x @ W_enc + b_enc
    f = SIZE * torch.relu(keep_top(pre, K))
    recon = f @ atoms
    nmse = ((x - recon) ** 2).mean() / VARIANCE
    e = (x - recon).detach()
    masked = torch.where(dead.bool(), pre, torch.full_like(pre, -torch.inf))
    z = SIZE * torch.relu(keep_top(masked, AUX_K).nan_to_num(neginf=0.0))
    aux = ((e - z @ atoms) ** 2).sum() / ((e - e.mean(0)) ** 2).sum()
    total = nmse + alpha * aux
    total.backward()
    grads = named(lambda p: p.grad)
    torch.nn.utils.clip_grad_norm_(list(params.values()), CLIP)
    torch.optim.Adam(list(params.values()), lr=LR, betas=(BETA1, BETA2), eps=EPS).step()
    dictionary.Relax.data = UNIT * Lambda.detach()
    dictionary.get_dictionary()
    Lambda.data = dictionary.Relax.data / UNIT
    return {
        "name": name, "variant": "archetypal",
        "hp": {"k": K, "auxK": AUX_K, "auxAlpha": alpha, "deadBias": 0, "delta": delta / UNIT, "centroids": C},
        "variance": VARIANCE, "lr": LR, "beta1": BETA1, "epsilon": EPS, "clip": CLIP,
        "shapes": {"W": [F, C], "Lambda": [F, D], "s": [], "C": [C, D], "size": []},
        "buffers": {"C": numbers(points), "size": [SIZE]},
        "params": start, "x": numbers(x), "dead": numbers(dead), "total": float(total.detach()),
        "parts": {"nmse": float(nmse.detach()), **({"aux": float(aux.detach())} if alpha else {})},
        "codes": numbers(f), "reconstruction": numbers(recon), "grads": grads, "after": named(lambda p: p),
    }


make = original(sys.argv[1])
cases = [
    run(make, "archetypal", 1.0, ALPHA),
    run(make, "archetypal, small ball", 0.3, 0.0),
]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "archetypal.json")
with open(path, "w") as out:
    json.dump({"torch": torch.__version__, "d_in": D, "d_sae": F, "n": B, "cases": cases}, out)
print(path, os.path.getsize(path))
