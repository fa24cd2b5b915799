"""One training step of VAEase by the original encoders and decoder, in float64. Writes vaease.json beside itself.

usage: python models/sae/testdata/vaease.py FOLDER
FOLDER: a clone of github.com/vegetablest-dog/VAEase (commit acdcf2b). Needs torch and numpy. The loss is copied from none of its
scripts as a function, for there it stands in a loop: it is written here from the paper's formula as they write it. The encoder
`diagonal` is theirs with a diagonal matrix in the place of `sigma_map`.
"""
import importlib
import json
import math
import os
import sys
import types
from unittest import mock

import torch

torch.set_default_dtype(torch.float64)
D, F, B = 5, 6, 12
LR, BETA1, BETA2, EPS = 0.01, 0.9, 0.999, 1e-8


class Missing(types.ModuleType):
    """What the original imports for its plots, images and data sets."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return mock.MagicMock()


def original(folder):
    sys.path.insert(0, folder)
    names = ["pyro", "pyro.nn", "ml_collections", "matplotlib", "matplotlib.pyplot", "torchvision", "torchvision.datasets",
             "torchvision.utils", "torchvision.transforms", "torch.utils.tensorboard", "tqdm"]
    with mock.patch.dict(sys.modules, {name: Missing(name) for name in names}):
        return importlib.import_module("models")


class Diagonal(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(width))
        self.bias = torch.nn.Parameter(torch.randn(width))

    def forward(self, x):
        return x * self.weight + self.bias


def run(models, name, kind, active_variance, log_gamma):
    torch.manual_seed(11)
    if kind == "mlp":
        encoder = models.Linear_Encoder(D, F)
        layers = [layer for layer in encoder.net if isinstance(layer, torch.nn.Linear)]
        named = dict(zip(["enc", "2", "3", "4"], layers))
    else:
        encoder = models.Simple_Linear_Encoder(D, F)
        if kind == "diagonal":
            encoder.sigma_map = Diagonal(F)
        named = {"enc": encoder.net[0], "sigma": encoder.sigma_map}
    decoder = models.Linear_Decoder(F, D)
    named["dec"] = decoder.net[0]
    gamma = torch.nn.Parameter(torch.tensor(log_gamma))
    tensors = {"log_gamma": gamma}
    for layer_name, layer in named.items():
        tensors[f"W_{layer_name}"] = layer.weight
        tensors[f"b_{layer_name}"] = layer.bias
    with torch.no_grad():
        for name_of, p in tensors.items():
            if name_of.startswith("W_"):
                p.mul_(2)
            p.copy_(p.to(torch.float32))
    x = (1.2 * torch.randn(B, D)).to(torch.float32).double()
    noise = torch.randn(B, F).to(torch.float32).double()

    mean, logvar = encoder(x)
    std = torch.exp(0.5 * logvar)
    x_hat = decoder((1 - std) * (mean + std * noise))
    mse = torch.sum(torch.square(x - x_hat), dim=1)
    kl = torch.sum(torch.exp(logvar) + torch.square(mean) - logvar, dim=1) - F
    total = torch.mean(mse / torch.exp(gamma) + D * gamma + math.log(2 * math.pi) * D + kl)
    total.backward()
    codes = (1 - std) * mean * (torch.exp(logvar) < active_variance)
    decoded = [float(v) for v in decoder(codes).detach().flatten()]
    turned = lambda n, p: p.T if n.startswith("W_") and p.dim() == 2 else p
    numbers = lambda of: {n: [float(v) for v in turned(n, of(p)).detach().flatten()] for n, p in tensors.items()}
    params, grads = numbers(lambda p: p), numbers(lambda p: p.grad)
    torch.optim.Adam(list(tensors.values()), lr=LR, betas=(BETA1, BETA2), eps=EPS).step()
    shapes = {n: list(turned(n, p).shape) for n, p in tensors.items()}
    flat = lambda t: [float(v) for v in t.detach().flatten()]
    return {
        "name": name, "variant": "vaease",
        "hp": {"encoder": kind, "logGamma": log_gamma, "activeVariance": active_variance}, "variance": 1,
        "lr": LR, "beta1": BETA1, "epsilon": EPS, "clip": None, "shapes": shapes, "params": params, "x": flat(x),
        "noise": flat(noise), "dead": [0] * F, "total": float(total.detach()),
        "parts": {"mse": float(mse.mean().detach()), "kl": float(kl.mean().detach()), "logGamma": log_gamma},
        "codes": flat(codes), "reconstruction": flat(x_hat),
        # Without noise, by the rule of inference.
        "decoded": decoded,
        "grads": grads, "after": numbers(lambda p: p),
    }


def rounded(value):
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


models = original(sys.argv[1])
cases = [
    run(models, "vaease", "linear", 0.5, -0.5),
    run(models, "vaease, a diagonal map to σ", "diagonal", 0.3, -1.0),
    run(models, "vaease, four layers", "mlp", 1.0, 0.3),
]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vaease.json")
with open(path, "w") as out:
    json.dump(rounded({"torch": torch.__version__, "d_in": D, "d_sae": F, "n": B, "cases": cases}), out)
print(path, os.path.getsize(path))
