"""
SAELens on the data of `npm run perf:synthetic -- --write DIR`: its own trainer and inference classes over a grid of learning
rates and sparsity coefficients. Usage: sae_synthetic.py DIR GRID.json [VARIANT ...] > saelens.csv

Prints one line a run: explained variance 1 - sum |x - x^|^2 / sum |x - mean|^2 and L0 of the saved inference SAE on the held-out
rows, the mean over true features of the largest cosine with a decoder row (of signed codes, with its opposite too), and the part of latents that no held-out row
activates. A coefficient that the grid's L0 lies between is looked for by bisection of its logarithm. Needs sae-lens 6.
"""

import contextlib
import csv
import io
import json
import math
import os
import sys
import tempfile

os.environ["TQDM_DISABLE"] = "1"
import numpy as np
import torch

with contextlib.redirect_stdout(io.StringIO()):
    import sae_lens
    from sae_lens.config import LoggingConfig, SAETrainerConfig

torch.set_num_threads(1)
folder, grid_file, *chosen = sys.argv[1:]
grid = json.load(open(grid_file))
rows = torch.from_numpy(np.load(f"{folder}/activations.npy"))
train, test = rows[: grid["tokens"]], rows[grid["tokens"] :]
dictionary = torch.from_numpy(np.load(f"{folder}/truth/dictionary.npy"))
d_sae, d_in = dictionary.shape


def config(variant, steps, coefficient):
    """Its defaults; what they count in steps, for runs of 10^5, is scaled to the length of this run."""
    shape = dict(d_in=d_in, d_sae=d_sae, dtype="float32", device="cpu", normalize_activations=grid["normalise"])
    warm_up = round(grid["warmUp"] * steps)
    if variant == "relu":
        return sae_lens.StandardTrainingSAE(
            sae_lens.StandardTrainingSAEConfig(**shape, l1_coefficient=coefficient, l1_warm_up_steps=warm_up)
        )
    if variant == "jumprelu":
        return sae_lens.JumpReLUTrainingSAE(
            sae_lens.JumpReLUTrainingSAEConfig(**shape, l0_coefficient=coefficient, l0_warm_up_steps=warm_up)
        )
    if variant == "topk":
        return sae_lens.TopKTrainingSAE(sae_lens.TopKTrainingSAEConfig(**shape, k=int(grid["l0"])))
    if variant == "abstopk":
        return sae_lens.saes.abstopk_sae.AbsTopKTrainingSAE(
            sae_lens.saes.abstopk_sae.AbsTopKTrainingSAEConfig(**shape, k=int(grid["l0"]))
        )
    if variant == "gated":
        return sae_lens.GatedTrainingSAE(
            sae_lens.GatedTrainingSAEConfig(**shape, l1_coefficient=coefficient, l1_warm_up_steps=warm_up)
        )
    # The threshold's running mean starts from 0 and would need several hundred steps.
    rate = max(0.01, 20 / steps)
    if variant == "matryoshka":
        return sae_lens.MatryoshkaBatchTopKTrainingSAE(
            sae_lens.MatryoshkaBatchTopKTrainingSAEConfig(
                **shape, k=grid["l0"], topk_threshold_lr=rate, matryoshka_widths=[d_sae // n for n in (16, 8, 4, 2, 1)]
            )
        )
    return sae_lens.BatchTopKTrainingSAE(
        sae_lens.BatchTopKTrainingSAEConfig(**shape, k=grid["l0"], topk_threshold_lr=rate)
    )


def batches(size, seed):
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(train), generator=generator)
        for start in range(0, len(train) - size + 1, size):
            yield train[order[start : start + size]]


@torch.no_grad()
def measure(trained, signed):
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(io.StringIO()):
        trained.save_inference_model(out)
        sae = sae_lens.SAE.load_from_disk(out, device="cpu")
    codes = sae.encode(test)
    left = (test - sae.decode(codes)).double().pow(2).sum()
    spread = (test - test.mean(0)).double().pow(2).sum()
    unit = sae.W_dec / sae.W_dec.norm(dim=1, keepdim=True)
    cosines = dictionary @ unit.T
    return {
        "ev": 1 - float(left / spread),
        "mmcs": float((cosines.abs() if signed else cosines).max(dim=1).values.mean()),
        "l0": float((codes != 0).float().sum(1).mean()),
        "dead": float((codes != 0).any(0).logical_not().float().mean()),
    }


def run(variant, batch, lr, coefficient, dead_window):
    torch.manual_seed(grid["seed"])
    steps = len(train) // batch
    sae = config(variant, steps, coefficient)
    trainer = sae_lens.SAETrainer(
        cfg=SAETrainerConfig(
            total_training_samples=steps * batch,
            train_batch_size_samples=batch,
            lr=lr,
            lr_end=lr,
            lr_warm_up_steps=round(grid["lrWarmUp"] * steps),
            lr_decay_steps=round(grid["lrDecay"] * steps),
            dead_feature_window=max(1, round(dead_window * steps)),
            logger=LoggingConfig(log_to_wandb=False, eval_every_n_wandb_logs=2**31 - 1),
            n_batches_for_norm_estimate=max(1, min(1000, 10_000 // batch)),
        ),
        sae=sae,
        data_provider=batches(batch, grid["seed"]),
    )
    trainer.fit()
    return measure(sae, signed=variant == "abstopk")


columns = ["variant", "batch", "lr", "coefficient", "deadWindow", "ev", "mmcs", "l0", "dead"]
out = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
out.writeheader()


def record(variant, batch, lr, coefficient, dead_window):
    numbers = run(variant, batch, lr, coefficient, dead_window)
    shown = {name: f"{value:.4f}" for name, value in numbers.items()}
    settings = {"variant": variant, "batch": batch, "lr": lr, "coefficient": f"{coefficient:.6g}"}
    out.writerow({**settings, "deadWindow": dead_window, **shown})
    sys.stdout.flush()
    return numbers["l0"]


def bisect(variant, batch, lr):
    """The grid's coefficients from the largest down until L0 is passed, then those between the last two."""
    wanted, window = grid["l0"], grid["deadWindows"][0]
    above = None
    for coefficient in sorted(grid["coefficients"][variant], reverse=True):
        l0 = record(variant, batch, lr, coefficient, window)
        if l0 >= wanted:
            below = (coefficient, l0)
            break
        above = (coefficient, l0)
    else:
        return
    if above is None:
        return
    for _ in range(grid["bisections"]):
        # The coefficient at which a straight line through both logarithms has the wanted L0, kept off the ends.
        part = math.log(below[1] / wanted) / math.log(below[1] / max(above[1], 0.1))
        part = min(0.85, max(0.15, part))
        coefficient = below[0] * (above[0] / below[0]) ** part
        l0 = record(variant, batch, lr, coefficient, window)
        if abs(l0 / wanted - 1) < grid["closeEnough"]:
            return
        if l0 >= wanted:
            below = (coefficient, l0)
        else:
            above = (coefficient, l0)


for variant in chosen or ["relu", "topk", "batchtopk", "jumprelu"]:
    for batch in grid["batches"]:
        for lr in grid["lrs"]:
            if variant in grid["coefficients"]:
                bisect(variant, batch, lr)
            else:
                for window in grid["deadWindows"]:
                    record(variant, batch, lr, 0, window)
