"""Golden values of logistic regression: scikit-learn's newton-cholesky solver run to convergence.

Usage: python logistic.py > logistic.golden.json   (scikit-learn 1.7.2, numpy 1.26 or newer)
"""
import json

import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(0)
x = np.round(rng.normal(size=(40, 5)), 3)
y = (x @ np.array([1.5, -2.0, 0.5, 0.0, 0.0]) + 0.7 + rng.normal(size=40) > 0).astype(int)
# More columns than rows, sparse counts, separable: the shape of a bag of words.
counts = rng.poisson(0.3, size=(24, 40))
z = (counts[:, 0] + counts[:, 1] > counts[:, 2]).astype(int)


def fit(features, labels, **options):
    model = LogisticRegression(solver="newton-cholesky", tol=1e-14, max_iter=10000, **options)
    model.fit(features, labels)
    return {"weights": model.coef_[0].tolist(), "intercept": float(model.intercept_[0])}


cases = [
    {"data": "dense", "C": 1.0, "classWeight": None, **fit(x, y, C=1.0)},
    {"data": "dense", "C": 100.0, "classWeight": None, **fit(x, y, C=100.0)},
    {"data": "dense", "C": 0.01, "classWeight": None, **fit(x, y, C=0.01)},
    {"data": "dense", "C": 1.0, "classWeight": "balanced", **fit(x, y, C=1.0, class_weight="balanced")},
    {"data": "dense", "C": 2.0, "classWeight": [1, 3], **fit(x, y, C=2.0, class_weight={0: 1, 1: 3})},
    {"data": "counts", "C": 100.0, "classWeight": None, **fit(counts, z, C=100.0)},
]
json.dump(
    {
        "dense": {"x": x.ravel().tolist(), "y": y.tolist(), "cols": 5},
        "counts": {"x": counts.ravel().tolist(), "y": z.tolist(), "cols": 40},
        "cases": cases,
    },
    __import__("sys").stdout,
)
