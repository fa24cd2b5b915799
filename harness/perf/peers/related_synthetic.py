"""
Variants that learn from neighbouring rows or a second site, on the data that `npm run perf:synthetic -- --related --write DIR`
wrote, measured as `synthetic_grid.py` says. Usage: related_synthetic.py DIR GRID.json [--temporal FOLDER] [VARIANT ...] > FILE.csv

temporal is trained by the original, FOLDER a clone of github.com/AI4LIFE-GROUP/temporal-saes (commit 8daecb2; needs einops); the
others are written plainly from their papers. What the original counts in steps, for runs of 10^5, is scaled to the length of this
run. Rows are scaled to a mean norm of sqrt(d), as our trainer does. `coefficient`: of transcoder the weight of the L1 penalty.
"""

import importlib
import math
import os
import sys
import types

import numpy as np
import torch
from torch import nn

original = None
if "--temporal" in sys.argv:
    at = sys.argv.index("--temporal")
    original = sys.argv[at + 1]
    del sys.argv[at : at + 2]

import synthetic_grid
from synthetic_grid import folder, grid, measure, rate, sweep
from torch_synthetic import keep_top, keep_top_of_batch, unit

RUN = 16
K = int(grid["l0"])
n = grid["tokens"]
first = synthetic_grid.rows
second = torch.from_numpy(np.load(f"{folder}/truth/target.npy"))
directions = [synthetic_grid.dictionary, torch.from_numpy(np.load(f"{folder}/truth/target-dictionary.npy"))]
d_sae, d = directions[0].shape
scale = math.sqrt(d) / float(first[:n].norm(dim=1).mean())
first, second = scale * first, scale * second
joint = torch.cat([first, second], dim=1)


def variance(x):
    return float((x - x.mean(0)).pow(2).mean())


def batches(size, eligible):
    generator = torch.Generator().manual_seed(grid["seed"])
    while True:
        order = eligible[torch.randperm(len(eligible), generator=generator)]
        for start in range(0, len(order) - size + 1, size):
            yield order[start : start + size]


def judged(codes, reconstruction, decoder, wanted, dictionary):
    """`measure` reads what it compares with from its module."""
    synthetic_grid.test, synthetic_grid.dictionary = wanted[n:], dictionary
    return measure(codes, reconstruction, decoder)


class Transcoder(nn.Module):
    """Dunefsky et al. 2024: ReLU and L1, weighted by decoder norms; errors over the target's variance."""

    unit_rows = False

    def __init__(self, coefficient):
        super().__init__()
        self.coefficient, self.variance = coefficient, variance(second[:n])
        self.W_dec = nn.Parameter(0.1 * unit(torch.randn(d_sae, d)))
        self.W_enc = nn.Parameter(0.1 * unit(torch.randn(d_sae, d)).T)
        self.b_enc = nn.Parameter(-first[:n].mean(0) @ self.W_enc.detach())
        self.b_dec = nn.Parameter(second[:n].mean(0))

    def encode(self, x):
        return (x @ self.W_enc + self.b_enc).relu()

    def loss(self, rows, dead, part):
        codes = self.encode(first[rows])
        error = (second[rows] - codes @ self.W_dec - self.b_dec).pow(2).sum(1).mean() / self.variance
        l1 = (codes * self.W_dec.norm(dim=1)).sum(1).mean() / math.sqrt(self.variance)
        warm = min(1, part / grid["warmUp"])
        return error + self.coefficient * warm * l1, codes.detach()

    def result(self):
        codes = self.encode(first[n:])
        return judged(codes, codes @ self.W_dec + self.b_dec, self.W_dec, second, directions[1])


class SkipTranscoder(nn.Module):
    """Paulo et al. 2025: a TopK transcoder with a linear way past its latents, trained as Gao et al. 2024 train TopK."""

    unit_rows = True

    def __init__(self, _coefficient):
        super().__init__()
        self.variance = variance(second[:n])
        self.W_dec = nn.Parameter(unit(torch.randn(d_sae, d)))
        self.W_enc = nn.Parameter(unit(torch.randn(d_sae, d)).T.clone())
        self.b_enc = nn.Parameter(-first[:n].mean(0) @ self.W_enc.detach())
        self.b_dec = nn.Parameter(second[:n].mean(0))
        self.W_skip = nn.Parameter(torch.zeros(d, d))

    def decode(self, x, codes):
        return codes @ self.W_dec + self.b_dec + x @ self.W_skip.T

    def loss(self, rows, dead, _part):
        x = first[rows]
        pre = x @ self.W_enc + self.b_enc
        codes = keep_top(pre, K)
        left = second[rows] - self.decode(x, codes)
        total = left.pow(2).mean() / self.variance
        if dead.any():
            revived = keep_top(pre.masked_fill(~dead, -math.inf), min(d // 2, int(dead.sum()))) @ self.W_dec
            left = left.detach()
            total = total + (left - revived).pow(2).sum() / (left - left.mean(0)).pow(2).sum() / 32
        return total, codes.detach()

    def result(self):
        x = first[n:]
        codes = keep_top(x @ self.W_enc + self.b_enc, K)
        return judged(codes, self.decode(x, codes), self.W_dec, second, directions[1])


class Crosscoder(nn.Module):
    """Lindsey et al. 2024 with the BatchTopK of Minder et al. 2025: codes compete times the sum of their decoders' norms."""

    unit_rows = False

    def __init__(self, _coefficient):
        super().__init__()
        self.variances = [variance(first[:n]), variance(second[:n])]
        rows = unit(torch.randn(d_sae, 2 * d))
        sizes = torch.tensor(self.variances).sqrt().repeat_interleave(d)
        self.W_dec = nn.Parameter(rows * sizes)
        self.W_enc = nn.Parameter((rows / sizes).T.clone())
        mean = joint[:n].mean(0)
        self.b_enc = nn.Parameter(-mean @ self.W_enc.detach())
        self.b_dec = nn.Parameter(mean)
        self.smallest = []

    def competing(self, x):
        norms = sum(part.norm(dim=1) / math.sqrt(v) for part, v in zip(self.W_dec.split(d, dim=1), self.variances))
        return (x @ self.W_enc + self.b_enc).relu() * norms, norms

    def loss(self, rows, dead, _part):
        x = joint[rows]
        sized, norms = self.competing(x)
        codes = keep_top_of_batch(sized, K)
        self.smallest.append(float(codes.detach()[codes > 0].min()))
        left = x - (codes / norms) @ self.W_dec - self.b_dec
        errors = [part.pow(2).mean() / v for part, v in zip(left.split(d, dim=1), self.variances)]
        return sum(errors) / 2, codes.detach()

    def result(self):
        recent = self.smallest[-max(1, len(self.smallest) // 10) :]
        sized, norms = self.competing(joint[n:])
        codes = sized * (sized > sum(recent) / len(recent))
        dictionary = torch.cat(directions, dim=1) / math.sqrt(2)
        return judged(codes, (codes / norms) @ self.W_dec + self.b_dec, self.W_dec, joint, dictionary)


def temporal(batch, lr, window):
    """The original's trainer: a fifth of the latents in the first group, of weight 0.2; InfoNCE of weight 0.1."""
    root = os.path.join(original, "dictionary_learning", "dictionary_learning")
    for name, path in [("dictionary_learning", root), ("dictionary_learning.trainers", os.path.join(root, "trainers"))]:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [path]
    sys.modules.setdefault("nnsight", types.SimpleNamespace(LanguageModel=None))
    module = importlib.import_module("dictionary_learning.trainers.temporal_sequence_top_k")
    steps = n // batch
    trainer = module.TemporalMatryoshkaBatchTopKTrainer(
        steps=steps, activation_dim=d, dict_size=d_sae, k=K, temporal=True, contrastive=True, layer=0, lm_name="none",
        group_fractions=[0.2, 0.8], group_weights=[0.2, 0.8], temp_alpha=0.1, lr=lr, seed=grid["seed"], device="cpu",
        warmup_steps=round(grid["lrWarmUp"] * steps), decay_start=round((1 - grid["lrDecay"]) * steps),
        threshold_start_step=round(0.9 * steps), threshold_beta=0.9,
    )
    trainer.dead_feature_threshold = max(1, round(window * steps)) * batch
    following = torch.arange(n)
    for step, rows in zip(range(steps), batches(batch, following[following % RUN != 0])):
        trainer.update(step, torch.stack([first[rows], first[rows - 1]], dim=1))
    with torch.no_grad():
        codes = trainer.ae.encode(first[n:])
        return judged(codes, trainer.ae.decode(codes), trainer.ae.W_dec, first, directions[0])


MODELS = {"transcoder": Transcoder, "skip-transcoder": SkipTranscoder, "crosscoder": Crosscoder}


def run(variant, batch, lr, coefficient, window):
    if variant == "temporal":
        return temporal(batch, lr, window)
    steps = n // batch
    model = MODELS[variant](coefficient)
    adam = torch.optim.Adam(model.parameters(), lr=lr, eps=6.25e-10)
    silent = torch.zeros(d_sae)
    for step, rows in zip(range(steps), batches(batch, torch.arange(n))):
        adam.param_groups[0]["lr"] = lr * rate(step, steps)
        adam.zero_grad()
        total, codes = model.loss(rows, silent >= max(1, round(window * steps)), (step + 1) / steps)
        total.backward()
        silent = torch.where((codes != 0).any(0), 0, silent + 1)
        with torch.no_grad():
            if model.unit_rows:
                model.W_dec.grad -= (model.W_dec.grad * model.W_dec).sum(1, keepdim=True) * model.W_dec
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            if model.unit_rows:
                model.W_dec.copy_(unit(model.W_dec))
    with torch.no_grad():
        return model.result()


sweep([*MODELS, *(["temporal"] if original else [])], run)
