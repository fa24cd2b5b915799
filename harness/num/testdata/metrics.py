"""Golden values of ranking metrics and statistics from scikit-learn and scipy.

Usage: python metrics.py > metrics.golden.json   (scikit-learn 1.7.2, scipy 1.11 or newer)
"""
import json
import sys

import numpy as np
from scipy import stats
from sklearn import metrics

rng = np.random.default_rng(1)
ranking = []
for n, levels in [(12, 4), (60, 7), (200, 10**6)]:
    # Few levels: many ties.
    scores = rng.integers(0, levels, size=n) / levels - 0.2
    labels = (scores + rng.normal(scale=0.4, size=n) > 0.3).astype(int)
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    precision, recall, _ = metrics.precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    ranking.append(
        {
            "scores": scores.tolist(),
            "labels": labels.tolist(),
            "auroc": metrics.roc_auc_score(labels, scores),
            "averagePrecision": metrics.average_precision_score(labels, scores),
            "bestF1": f1.max(),
            "youden": (tpr - fpr).max(),
            "fpr": fpr.tolist(),
            "tpr": tpr.tolist(),
        }
    )

a = np.round(rng.normal(size=30), 1)
samples = {
    "a": a.tolist(),
    "quantiles": {str(p): float(np.quantile(a, p)) for p in [0, 0.05, 0.33, 0.5, 0.9, 1]},
    "ranks": stats.rankdata(a).tolist(),
    "tInterval": list(stats.t.interval(0.95, 29, loc=a.mean(), scale=stats.sem(a))),
}
student = [
    {"df": df, "t": t, "cdf": float(stats.t.cdf(t, df)), "p": p, "quantile": float(stats.t.ppf(p, df))}
    for df, t, p in [(1, 0.3, 0.975), (2, -2.5, 0.9), (4, 1.7, 0.995), (30, 3.0, 0.2), (500, 0.01, 0.6)]
]
json.dump({"ranking": ranking, "samples": samples, "student": student}, sys.stdout)
