"""Matchings by SciPy and SynthSAEBench's metrics by SAELens, on small random data. Writes recovery.golden.json beside itself.

usage: python harness/num/testdata/recovery.py        Needs scipy, torch and sae_lens (6.54).
"""
import json
import os

import numpy as np
import torch
from sae_lens.synthetic.evals import compute_classification_metrics, feature_uniqueness, mean_correlation_coefficient
from scipy.optimize import linear_sum_assignment

rng = np.random.default_rng(11)


def assignment(rows, cols, kind):
    scores = rng.standard_normal((rows, cols))
    if kind == "ties":
        scores = np.round(scores)
    row, col = linear_sum_assignment(scores, maximize=True)
    columns = np.full(rows, -1)
    columns[row] = col
    return {
        "rows": rows,
        "cols": cols,
        "kind": kind,
        "scores": scores.ravel().tolist(),
        "columns": columns.tolist(),
        "sum": scores[row, col].sum(),
    }


def recovery(latents, features, d, rows):
    found = torch.tensor(rng.standard_normal((latents, d)))
    truth = torch.tensor(rng.standard_normal((features, d)))
    truth /= truth.norm(dim=1, keepdim=True)
    # Half of the latents near a feature, so that firing has something to find.
    for i in range(latents // 2):
        found[i] = truth[i % features] * (-2 if i % 3 == 0 else 1.5) + 0.2 * found[i]
    active = torch.tensor(rng.random((rows, features)) < 0.3).double()
    codes = torch.tensor(rng.random((rows, latents)) < 0.1).double()
    for i in range(latents // 2):
        codes[:, i] = torch.where(torch.tensor(rng.random(rows)) < 0.8, active[:, i % features], codes[:, i])
    codes[:, latents - 1] = 0
    classified = compute_classification_metrics(codes, active, found, truth)
    return {
        "latents": latents,
        "features": features,
        "d": d,
        "rows": rows,
        "found": found.ravel().tolist(),
        "truth": truth.ravel().tolist(),
        "codes": codes.int().ravel().tolist(),
        "active": active.int().ravel().tolist(),
        "mcc": mean_correlation_coefficient(found, truth),
        "uniqueness": feature_uniqueness(found, truth),
        "precision": classified.precision,
        "recall": classified.recall,
        "f1": classified.f1_score,
    }


golden = {
    "assignments": [
        assignment(*shape, kind)
        for shape in [(1, 1), (4, 4), (3, 7), (7, 3), (20, 20), (12, 30)]
        for kind in ["plain", "ties"]
    ],
    "recovery": [recovery(8, 8, 5, 40), recovery(5, 9, 6, 60), recovery(12, 6, 6, 50)],
}
with open(os.path.join(os.path.dirname(__file__), "recovery.golden.json"), "w") as file:
    json.dump(golden, file)
