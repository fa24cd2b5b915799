"""One training step of the temporal SAE by the original implementation, in float64. Writes temporal.json beside itself.

usage: python models/sae/testdata/temporal.py FOLDER
FOLDER: a clone of github.com/AI4LIFE-GROUP/temporal-saes (commit 8daecb2). Needs torch and einops. Its loss is times 2 / (d · variance),
the units of ours, and its AuxK, which has a unit of its own, is left out by a weight of 0.
"""
import importlib
import json
import os
import sys
import types

import torch

torch.set_default_dtype(torch.float64)
D, F, B = 6, 20, 8
LR, BETA1, BETA2, EPS, CLIP, VARIANCE = 0.01, 0.9, 0.999, 6.25e-10, 1.0, 1.25


def original(folder):
    root = os.path.join(folder, "dictionary_learning", "dictionary_learning")
    for name, path in [("dictionary_learning", root), ("dictionary_learning.trainers", os.path.join(root, "trainers"))]:
        package = types.ModuleType(name)
        package.__path__ = [path]
        sys.modules[name] = package
    return importlib.import_module("dictionary_learning.trainers.temporal_sequence_top_k")


def run(module, name, k, high, weight, alpha, contrastive):
    trainer = module.TemporalMatryoshkaBatchTopKTrainer(
        steps=10, activation_dim=D, dict_size=F, k=k, temporal=True, contrastive=contrastive, layer=0, lm_name="none",
        group_fractions=[high, 1 - high], group_weights=[weight, 1 - weight], temp_alpha=alpha, auxk_alpha=0.0, seed=5,
        device="cpu", warmup_steps=1,
    )
    ae = trainer.ae
    with torch.no_grad():
        ae.b_enc.copy_(0.1 * torch.randn(F))
        ae.b_dec.copy_(0.2 * torch.randn(D))
        for p in ae.parameters():
            p.copy_(p.to(torch.float32))
    params = {"W_enc": ae.W_enc, "b_enc": ae.b_enc, "W_dec": ae.W_dec, "b_dec": ae.b_dec}
    numbers = lambda t: [round(float(v), 9) for v in t.detach().flatten()]
    named = lambda of: {n: numbers(of(p)) for n, p in params.items()}
    single = lambda t: t.float().double()
    x, before = single(1.2 * torch.randn(B, D)), single(1.2 * torch.randn(B, D))
    pair = torch.stack([x, before], dim=1)
    log = trainer.loss(pair, step=0, logging=True)
    start = named(lambda p: p)
    unit = 2 / (D * VARIANCE)
    total = trainer.loss(pair, step=0) * unit
    ae.zero_grad()
    total.backward()
    # As our trainer does: before the gradient is clipped.
    W = ae.W_dec.detach() / ae.W_dec.detach().norm(dim=1, keepdim=True)
    ae.W_dec.grad -= (ae.W_dec.grad * W).sum(1, keepdim=True) * W
    grads = named(lambda p: p.grad)
    torch.nn.utils.clip_grad_norm_(list(params.values()), CLIP)
    torch.optim.Adam(list(params.values()), lr=LR, betas=(BETA1, BETA2), eps=EPS).step()
    with torch.no_grad():
        ae.W_dec /= ae.W_dec.norm(dim=1, keepdim=True)
    return {
        "name": name, "variant": "temporal",
        "hp": {
            "k": k, "highLevel": high, "highLevelWeight": weight, "temporalAlpha": alpha, "contrastive": contrastive,
            "auxAlpha": 0, "auxK": 2, "deadBias": 0,
        },
        "variance": VARIANCE, "lr": LR, "beta1": BETA1, "epsilon": EPS, "clip": CLIP,
        "params": start, "x": numbers(x), "previous": numbers(before), "dead": [0] * F, "total": float(total.detach()),
        "parts": {"temporal": log.losses["temp_loss"]}, "codes": numbers(log.f), "reconstruction": numbers(log.x_hat),
        "grads": grads, "after": named(lambda p: p),
    }


module = original(sys.argv[1])
cases = [
    run(module, "temporal, contrastive", 3, 0.25, 0.2, 0.1, True),
    run(module, "temporal, contrastive, strong", 3, 0.5, 0.4, 2.0, True),
    run(module, "temporal, distance", 3, 0.25, 0.3, 0.5, False),
]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "temporal.json")
with open(path, "w") as out:
    json.dump({"torch": torch.__version__, "d_in": D, "d_sae": F, "n": B, "cases": cases}, out)
print(path, os.path.getsize(path))
