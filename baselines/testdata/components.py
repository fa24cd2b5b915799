"""LAT as AxBench defines it and FastICA, by scikit-learn (1.x), for lat.test.ts and ica.test.ts. Writes components.json beside
itself: python baselines/testdata/components.py"""
import json
import os

import numpy as np
from sklearn.decomposition import PCA, FastICA

rng = np.random.default_rng(5)
D, ROWS, K = 6, 300, 4
out = {}

# LAT: pairs (i, n/2 + i) of tokens in the order given, one token left out.
tokens = (rng.normal(size=(41, D)) @ rng.normal(size=(D, D)) + 3).astype(np.float32)
half = len(tokens) // 2
differences = (tokens[:half] - tokens[half:2 * half]).astype(np.float64)
differences /= np.linalg.norm(differences, axis=1, keepdims=True)
component = PCA(n_components=1, svd_solver="full").fit(differences).components_[0]
component *= np.sign(component[np.argmax(np.abs(component))])
out["lat"] = {"tokens": tokens.tolist(), "direction": component.tolist()}

# FastICA: rows of K sources of different shapes in D dimensions with a little noise, whitened to K components.
sources = np.stack([rng.laplace(size=ROWS), rng.uniform(-1, 1, ROWS), rng.exponential(size=ROWS), rng.choice([-1, 1], ROWS)])
x = (sources.T @ rng.normal(size=(K, D)) + 0.01 * rng.normal(size=(ROWS, D)) + 2).astype(np.float32)
start = rng.normal(size=(K, K))
ica = FastICA(n_components=K, algorithm="parallel", whiten="unit-variance", fun="logcosh", w_init=start, tol=1e-4,
              max_iter=200, whiten_solver="eigh")
codes = ica.fit_transform(x.astype(np.float64))
# The unmixing of whitened rows from the given start, in the basis of ours: eigenvectors with their largest entry positive.
centred = x.astype(np.float64) - x.astype(np.float64).mean(0)
values, vectors = np.linalg.eigh(centred.T @ centred / ROWS)
order = np.argsort(-values)[:K]
basis = (vectors[:, order] * np.sign(vectors[np.argmax(np.abs(vectors[:, order]), axis=0), order])).T
whitened = centred @ (basis / np.sqrt(values[order])[:, None]).T
from sklearn.decomposition._fastica import _ica_par, _logcosh, _sym_decorrelation

one, _ = _ica_par(whitened.T.copy(), tol=0, g=_logcosh, fun_args={}, max_iter=3, w_init=start.copy())
full, iterations = _ica_par(whitened.T.copy(), tol=1e-4, g=_logcosh, fun_args={}, max_iter=200, w_init=start.copy())
out["ica"] = {
    "x": x.tolist(), "whitened": whitened.tolist(), "start": start.tolist(), "three_steps": one.tolist(),
    "unmixing": full.tolist(), "iterations": int(iterations), "components": ica.components_.tolist(),
    "mixing": ica.mixing_.T.tolist(), "codes": codes[:5].tolist(), "mean": ica.mean_.tolist(),
}

path = os.path.join(os.path.dirname(__file__), "components.json")


def rounded(value):
    return [rounded(each) for each in value] if isinstance(value, list) else float(f"{value:.9g}") if isinstance(value, float) else value


with open(path, "w") as file:
    json.dump({name: {key: rounded(value) for key, value in part.items()} for name, part in out.items()}, file)
