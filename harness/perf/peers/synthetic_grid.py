"""
Shared by the peers of `npm run perf:synthetic`: the data that `-- --write DIR` wrote, the grid of settings, and the table.

A script's command line is `SCRIPT.py DIR GRID.json [VARIANT ...] > FILE.csv`. It prints one line a run: explained variance
1 - sum |x - x^|^2 / sum |x - mean|^2 and L0 on the held-out rows, the mean over true features of the largest cosine with a
decoder row (of signed codes, with its opposite too), and the part of latents that no held-out row activates. A coefficient that
the grid's L0 lies between is looked for by bisection of its logarithm. `deadWindow` is the part of the steps after which a silent
latent counts as dead; of relu-bricken the part from one resampling to the next (1: none), of p-anneal that after which p falls.
"""

import csv
import json
import math
import sys

import numpy as np
import torch

torch.set_num_threads(1)
folder, grid_file, *chosen = sys.argv[1:]
grid = json.load(open(grid_file))
rows = torch.from_numpy(np.load(f"{folder}/activations.npy"))
train, test = rows[: grid["tokens"]], rows[grid["tokens"] :]
dictionary = torch.from_numpy(np.load(f"{folder}/truth/dictionary.npy"))
d_sae, d_in = dictionary.shape


def batches(size, seed):
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(train), generator=generator)
        for start in range(0, len(train) - size + 1, size):
            yield train[order[start : start + size]]


def rate(step, steps):
    """The factor on the learning rate in a step: a linear rise and a linear fall to 0."""
    warm_up, decay = round(grid["lrWarmUp"] * steps), round(grid["lrDecay"] * steps)
    return min((step + 1) / max(1, warm_up), (steps - step) / max(1, decay), 1)


@torch.no_grad()
def measure(codes, reconstruction, decoder, signed=False):
    """Of the held-out rows' codes and reconstruction, and the decoder's rows."""
    left = (test - reconstruction).double().pow(2).sum()
    spread = (test - test.mean(0)).double().pow(2).sum()
    cosines = dictionary @ (decoder / decoder.norm(dim=1, keepdim=True)).T
    return {
        "ev": 1 - float(left / spread),
        "mmcs": float((cosines.abs() if signed else cosines).max(dim=1).values.mean()),
        "l0": float((codes != 0).float().sum(1).mean()),
        "dead": float((codes != 0).any(0).logical_not().float().mean()),
    }


def sweep(variants, run, asked_for=()):
    """
    Prints the table of `run(variant, batch, lr, coefficient, window)`, which returns what `measure` does, for the variants of the
    command line, among these and those that are run only when `asked_for`.
    """
    unknown = [name for name in chosen if name not in (*variants, *asked_for)]
    if unknown:
        sys.exit(f"{sys.argv[0]}: VARIANT: expected one of {', '.join((*variants, *asked_for))}, found {unknown[0]}")
    columns = ["variant", "batch", "lr", "coefficient", "deadWindow", "ev", "mmcs", "l0", "dead"]
    out = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    out.writeheader()

    def record(variant, batch, lr, coefficient, window):
        torch.manual_seed(grid["seed"])
        numbers = run(variant, batch, lr, coefficient, window)
        shown = {name: f"{value:.4f}" for name, value in numbers.items()}
        settings = {"variant": variant, "batch": batch, "lr": lr, "coefficient": f"{coefficient:.6g}"}
        out.writerow({**settings, "deadWindow": window, **shown})
        sys.stdout.flush()
        return numbers["l0"]

    def bisect(*setting, window):
        """The grid's coefficients from the largest down until L0 is passed, then those between the last two."""
        wanted = grid["l0"]
        above = None
        for coefficient in sorted(grid["coefficients"][setting[0]], reverse=True):
            l0 = record(*setting, coefficient, window)
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
            l0 = record(*setting, coefficient, window)
            if abs(l0 / wanted - 1) < grid["closeEnough"]:
                return
            if l0 >= wanted:
                below = (coefficient, l0)
            else:
                above = (coefficient, l0)

    for variant in chosen or variants:
        windows = grid.get("windows", {}).get(variant)
        for batch in grid["batches"]:
            for lr in grid["lrs"] + grid.get("moreLrs", {}).get(variant, []):
                if variant in grid["coefficients"]:
                    for window in windows or grid["deadWindows"][:1]:
                        bisect(variant, batch, lr, window=window)
                else:
                    for coefficient in grid.get("options", {}).get(variant, [0]):
                        for window in windows or grid["deadWindows"]:
                            record(variant, batch, lr, coefficient, window)
