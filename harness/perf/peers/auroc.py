"""AUROC of every latent by a scikit-learn loop: seconds for CONCEPTS concepts × F latents, extrapolated from SAMPLE calls.

usage: auroc.py ITEMS F L0 CONCEPTS SAMPLE
"""

import sys
import time

import numpy as np
from sklearn.metrics import roc_auc_score

from common import report

items, f, l0, concepts, sample = map(int, sys.argv[1:6])
rng = np.random.default_rng(0)
labels = np.arange(items) % 2
columns = np.where(rng.random((items, sample)) < l0 / f, rng.random((items, sample)), 0.0)
start = time.perf_counter()
for j in range(sample):
    roc_auc_score(labels, columns[:, j])
elapsed = time.perf_counter() - start
report(elapsed * concepts * f / sample, "s", f"{sample} of {concepts * f} calls timed")
