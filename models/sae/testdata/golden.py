"""One training step of each SAE variant in PyTorch (float64), written from the papers' formulas and independent of the
TypeScript code. Writes golden.json beside itself: python models/sae/testdata/golden.py"""
import json
import os

import torch

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
D, F, B = 6, 12, 8
LR, BETA2, CLIP = 0.01, 0.999, 1.0


def start(threshold=False):
    W_dec = torch.randn(F, D)
    W_dec = W_dec / W_dec.norm(dim=1, keepdim=True)
    params = {
        "W_enc": W_dec.T.clone() + 0.1 * torch.randn(D, F),
        "b_enc": 0.1 * torch.randn(F),
        "W_dec": W_dec,
        "b_dec": 0.2 * torch.randn(D),
    }
    if threshold:
        params["threshold"] = 0.3 + 0.2 * torch.rand(F)
    # What TypeScript reads is float32: start from the same numbers.
    return {k: v.float().double().requires_grad_(True) for k, v in params.items()}


class Jump(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, theta, eps):
        ctx.save_for_backward(z, theta)
        ctx.eps = eps
        return z * (z > theta)

    @staticmethod
    def backward(ctx, g):
        z, theta = ctx.saved_tensors
        kernel = (((z - theta) / ctx.eps).abs() < 0.5).double()
        return g * (z > theta), (-(theta / ctx.eps) * kernel * g).sum(0), None


class Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, theta, eps):
        ctx.save_for_backward(z, theta)
        ctx.eps = eps
        return (z > theta).double()

    @staticmethod
    def backward(ctx, g):
        z, theta = ctx.saved_tensors
        kernel = (((z - theta) / ctx.eps).abs() < 0.5).double()
        return torch.zeros_like(z), (-(1 / ctx.eps) * kernel * g).sum(0), None


def keep_top(a, k):
    values, indices = a.topk(k, dim=-1)
    return torch.zeros_like(a).scatter(-1, indices, values)


def auxk(p, pre, x, recon, dead, k):
    e = (x - recon).detach()
    masked = torch.where(dead.bool(), pre, torch.full_like(pre, -torch.inf))
    z = torch.relu(keep_top(masked, min(k, int(dead.sum()))).nan_to_num(neginf=0.0))
    ehat = z @ p["W_dec"]
    return ((e - ehat) ** 2).sum() / ((e - e.mean(0)) ** 2).sum()


def topk_loss(p, x, c):
    pre = (x - p["b_dec"]) @ p["W_enc"] + p["b_enc"]
    f = torch.relu(keep_top(pre, c["k"]))
    recon = f @ p["W_dec"] + p["b_dec"]
    nmse = ((x - recon) ** 2).mean() / c["variance"]
    aux = auxk(p, pre, x, recon, c["dead"], c["auxK"])
    return nmse + c["auxAlpha"] * aux, {"nmse": nmse, "aux": aux}, f, recon


def batchtopk_loss(p, x, c):
    pre = (x - p["b_dec"]) @ p["W_enc"] + p["b_enc"]
    a = torch.relu(pre)
    f = keep_top(a.flatten(), c["k"] * B).reshape(a.shape)
    recon = f @ p["W_dec"] + p["b_dec"]
    nmse = ((x - recon) ** 2).mean() / c["variance"]
    aux = auxk(p, pre, x, recon, c["dead"], c["auxK"])
    return nmse + c["auxAlpha"] * aux, {"nmse": nmse, "aux": aux, "smallest": f[f > 0].min()}, f, recon


def relu_loss(p, x, c):
    f = torch.relu(x @ p["W_enc"] + p["b_enc"])
    recon = f @ p["W_dec"] + p["b_dec"]
    mse = ((x - recon) ** 2).sum(1).mean()
    l1 = (f * p["W_dec"].norm(dim=1)).sum(1).mean()
    return mse + c["lambda"] * l1, {"mse": mse, "l1": l1}, f, recon


def jumprelu_loss(p, x, c):
    z = x @ p["W_enc"] + p["b_enc"]
    f = Jump.apply(z, p["threshold"], c["bandwidth"])
    recon = f @ p["W_dec"] + p["b_dec"]
    mse = ((x - recon) ** 2).sum(1).mean()
    norms = p["W_dec"].norm(dim=1)
    l0 = Step.apply(z, p["threshold"], c["bandwidth"]).sum(1).mean()
    penalty = {
        "step": lambda: l0,
        "quadratic": lambda: (l0 / c["targetL0"] - 1) ** 2 if c["targetL0"] else l0,
        "tanh": lambda: torch.tanh(4 * f * norms).sum(1).mean(),
    }[c["penalty"]]()
    parts = {"mse": mse, "sparsity": penalty}
    total = mse + c["lambda"] * penalty
    if c["preActCoefficient"] > 0:
        parts["preAct"] = (torch.relu(p["threshold"] - z) * norms * c["dead"]).sum(1).mean()
        total = total + c["preActCoefficient"] * parts["preAct"]
    return total, parts, f, recon


def run(name, variant, loss, hp, unit, beta1, eps, threshold=False):
    p = start(threshold)
    x = (1.2 * torch.randn(B, D)).float().double()
    dead = torch.zeros(F)
    dead[[1, 4, 5, 9]] = 1
    c = {**hp, "dead": dead, "variance": 1.25}
    total, parts, f, recon = loss(p, x, c)
    total.backward()
    grads = {k: v.grad.clone() for k, v in p.items()}
    if unit:
        W = p["W_dec"].detach() / p["W_dec"].detach().norm(dim=1, keepdim=True)
        grads["W_dec"] -= (grads["W_dec"] * W).sum(1, keepdim=True) * W
    plain = {k: v.detach().clone() for k, v in p.items()}
    for k, v in p.items():
        v.grad = grads[k].clone()
    torch.nn.utils.clip_grad_norm_(list(p.values()), CLIP)
    torch.optim.Adam(list(p.values()), lr=LR, betas=(beta1, BETA2), eps=eps).step()
    after = {k: v.detach().clone() for k, v in p.items()}
    if unit:
        after["W_dec"] /= after["W_dec"].norm(dim=1, keepdim=True)
    numbers = lambda t: [round(float(v), 8) for v in t.detach().flatten()]
    named = lambda d: {k: numbers(v) for k, v in d.items()}
    return {
        "name": name, "variant": variant, "hp": hp, "variance": 1.25, "lr": LR, "beta1": beta1, "epsilon": eps, "clip": CLIP,
        "params": named(plain), "x": numbers(x), "dead": numbers(dead), "total": float(total.detach()),
        "parts": {k: float(v.detach()) for k, v in parts.items()}, "codes": numbers(f), "reconstruction": numbers(recon),
        "grads": named(grads), "after": named(after),
    }


TOPK = {"k": 3, "auxAlpha": 1 / 32, "auxK": 2}
JUMP = {"lambda": 0.7, "lambdaWarmup": 0, "bandwidth": 0.4, "thresholdInit": 0.3, "preActCoefficient": 0, "targetL0": None}
cases = [
    run("topk", "topk", topk_loss, TOPK, True, 0.9, 6.25e-10),
    run("batchtopk", "batchtopk", batchtopk_loss, TOPK, True, 0.9, 6.25e-10),
    run("relu", "relu", relu_loss, {"lambda": 2.0, "lambdaWarmup": 0, "targetL0": None}, False, 0.9, 1e-8),
    run("jumprelu step", "jumprelu", jumprelu_loss, {**JUMP, "penalty": "step"}, False, 0.0, 1e-8, True),
    run("jumprelu quadratic", "jumprelu", jumprelu_loss, {**JUMP, "penalty": "quadratic", "targetL0": 2.5}, False, 0.0, 1e-8, True),
    run("jumprelu tanh", "jumprelu", jumprelu_loss, {**JUMP, "penalty": "tanh", "preActCoefficient": 0.05}, False, 0.0, 1e-8, True),
]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.json")
with open(path, "w") as out:
    json.dump({"torch": torch.__version__, "d_in": D, "d_sae": F, "n": B, "cases": cases}, out)
print(path, os.path.getsize(path))
