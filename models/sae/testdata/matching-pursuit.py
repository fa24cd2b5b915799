"""One training step of the matching pursuit SAE by SAELens 6.54, in float64. Writes matching-pursuit.json beside itself.

usage: python models/sae/testdata/matching-pursuit.py
Needs torch and sae-lens. Theirs leaves the lengths of atoms free, so that the component along them is taken from the gradient, and
the lengths back to 1, here. Its loss is divided by d · variance, the units of ours. `inference` are codes with their own rules to
stop, which checkpoints may have.
"""
import json
import os

import torch
from sae_lens.saes.matching_pursuit_sae import MatchingPursuitTrainingSAE, MatchingPursuitTrainingSAEConfig
from sae_lens.saes.sae import TrainStepInput

torch.manual_seed(13)
torch.set_default_dtype(torch.float64)
D, F, B = 6, 12, 8
LR, BETA1, BETA2, EPS, CLIP, VARIANCE = 0.01, 0.9, 0.999, 1e-8, 1.0, 1.25
numbers = lambda t: [round(float(v), 9) for v in t.detach().flatten()]


def sae_with(k, threshold=0.0, duplicate=False):
    return MatchingPursuitTrainingSAE(
        MatchingPursuitTrainingSAEConfig(
            d_in=D, d_sae=F, dtype="float64", device="cpu", decoder_init_norm=1.0, apply_b_dec_to_input=True,
            max_iterations=k, residual_threshold=threshold, stop_on_duplicate_support=duplicate,
        )
    )


def run(name, k):
    sae = sae_with(k)
    with torch.no_grad():
        W = torch.randn(F, D)
        sae.W_dec.copy_((W / W.norm(dim=1, keepdim=True)).float().double())
        sae.b_dec.copy_((0.2 * torch.randn(D)).float().double())
    x = (1.2 * torch.randn(B, D)).float().double()
    params = {"W_dec": sae.W_dec, "b_dec": sae.b_dec}
    named = lambda of: {n: numbers(of(p)) for n, p in params.items()}
    start = named(lambda p: p)
    step = TrainStepInput(sae_in=x, coefficients={}, dead_neuron_mask=None, n_training_steps=0, is_logging_step=False)
    out = sae.training_forward_pass(step)
    total = out.loss / (D * VARIANCE)
    total.backward()
    W = sae.W_dec.detach() / sae.W_dec.detach().norm(dim=1, keepdim=True)
    sae.W_dec.grad -= (sae.W_dec.grad * W).sum(1, keepdim=True) * W
    grads = named(lambda p: p.grad)
    codes = out.feature_acts.detach()
    stopped = []
    for threshold, duplicate in [(0.5, False), (0.0, True), (0.6, True)]:
        other = sae_with(D, threshold, duplicate)
        other.load_state_dict(sae.state_dict())
        stopped.append({"threshold": threshold, "duplicate": duplicate, "codes": numbers(other.encode(x))})
    torch.nn.utils.clip_grad_norm_(list(params.values()), CLIP)
    torch.optim.Adam(list(params.values()), lr=LR, betas=(BETA1, BETA2), eps=EPS).step()
    with torch.no_grad():
        sae.W_dec /= sae.W_dec.norm(dim=1, keepdim=True)
    return {
        "name": name, "variant": "matching-pursuit", "hp": {"k": k}, "variance": VARIANCE,
        "lr": LR, "beta1": BETA1, "epsilon": EPS, "clip": CLIP,
        "params": start, "x": numbers(x), "dead": [0] * F, "total": float(total.detach()),
        "parts": {"nmse": float(total.detach())}, "codes": numbers(codes), "reconstruction": numbers(out.sae_out),
        "grads": grads, "after": named(lambda p: p), "inference": stopped,
    }


cases = [run("matching pursuit", 3), run("matching pursuit, atoms chosen again", 9)]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "matching-pursuit.json")
with open(path, "w") as out:
    json.dump({"torch": torch.__version__, "d_in": D, "d_sae": F, "n": B, "cases": cases}, out)
print(path, os.path.getsize(path))
