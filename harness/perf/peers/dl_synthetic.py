"""
dictionary_learning on the data of `npm run perf:synthetic`: its own trainers over a grid of learning rates and penalties,
measured as `synthetic_grid.py` says. Usage: dl_synthetic.py DIR GRID.json [VARIANT ...] > dictionary_learning.csv

Needs dictionary-learning 0.1.0 and einops.
"""

import contextlib
import io
import sys
import types

from synthetic_grid import batches, d_in, d_sae, grid, measure, sweep, test, train

# dictionary_learning reads language models with it, which no trainer needs.
sys.modules.setdefault("nnsight", types.SimpleNamespace(LanguageModel=None))
from dictionary_learning.trainers.p_anneal import PAnnealTrainer
from dictionary_learning.trainers.standard import StandardTrainer


def trainer(variant, steps, lr, coefficient, window):
    """Their settings; what they count in steps, for runs of 10^5, is scaled to the length of this run."""
    common = dict(
        steps=steps, activation_dim=d_in, dict_size=d_sae, layer=0, lm_name="none", lr=lr, seed=grid["seed"], device="cpu",
        warmup_steps=round(grid["lrWarmUp"] * steps), sparsity_warmup_steps=round(grid["warmUp"] * steps),
    )
    decay = dict(decay_start=round((1 - grid["lrDecay"]) * steps))
    if variant == "p-anneal":
        return PAnnealTrainer(
            initial_sparsity_penalty=coefficient, sparsity_function="Lp^p", p_end=0.2, anneal_start=round(window * steps),
            **common, **decay,
        )
    # Theirs has no fall of the learning rate where it resamples.
    more = decay if window == 1 else dict(resample_steps=round(window * steps))
    return StandardTrainer(l1_penalty=coefficient, **common, **more)


def run(variant, batch, lr, coefficient, window):
    steps = len(train) // batch
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = trainer(variant, steps, lr, coefficient, window)
        for step, x in zip(range(steps), batches(batch, grid["seed"])):
            theirs.update(step, x)
        codes = theirs.ae.encode(test).detach()
        return measure(codes, theirs.ae.decode(codes).detach(), theirs.ae.decoder.weight.detach().T)


sweep(["relu-bricken", "p-anneal"], run)
