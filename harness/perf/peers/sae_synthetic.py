"""
SAELens on the data of `npm run perf:synthetic`: its own trainer and inference classes over a grid of learning rates and sparsity
coefficients, measured as `synthetic_grid.py` says. Usage: sae_synthetic.py DIR GRID.json [VARIANT ...] > saelens.csv

Needs sae-lens 6.
"""

import contextlib
import io
import os
import tempfile

os.environ["TQDM_DISABLE"] = "1"
import torch
from synthetic_grid import batches, d_in, d_sae, grid, measure, sweep, test, train

with contextlib.redirect_stdout(io.StringIO()):
    import sae_lens
    from sae_lens.config import LoggingConfig, SAETrainerConfig


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
    if variant == "matching-pursuit":
        # Ours: every choice counts, however small the rest is.
        return sae_lens.saes.MatchingPursuitTrainingSAE(
            sae_lens.saes.MatchingPursuitTrainingSAEConfig(
                **shape, decoder_init_norm=1.0, max_iterations=int(grid["l0"]), residual_threshold=0.0, stop_on_duplicate_support=False
            )
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


@torch.no_grad()
def measure_inference(trained, signed):
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(io.StringIO()):
        trained.save_inference_model(out)
        sae = sae_lens.SAE.load_from_disk(out, device="cpu")
    codes = sae.encode(test)
    return measure(codes, sae.decode(codes), sae.W_dec, signed)


def run(variant, batch, lr, coefficient, dead_window):
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
    return measure_inference(sae, signed=variant == "abstopk")


sweep(["relu", "topk", "batchtopk", "jumprelu"], run, asked_for=["gated", "matryoshka", "abstopk", "matching-pursuit"])
