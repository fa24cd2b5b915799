"""One training step of both transcoders in PyTorch (float64), written from the papers' formulas. Writes transcoder.json beside itself.

usage: python models/sae/testdata/transcoder.py
Needs torch and sae-lens (6.54), whose Transcoder and SkipTranscoder give codes and reconstructions: SAELens trains neither. Theirs has
ReLU; that of the skip transcoder's latents which TopK leaves out is set to 0 between its encoder and its decoder,
and the others are multiplied by `size`, as in training.
"""
import json
import os

import torch
from sae_lens.saes.transcoder import SkipTranscoder, SkipTranscoderConfig, Transcoder, TranscoderConfig

torch.manual_seed(17)
torch.set_default_dtype(torch.float64)
D, F, OUT, B = 6, 12, 5, 8
LR, BETA1, BETA2, EPS, CLIP, VARIANCE, SIZE = 0.01, 0.9, 0.999, 1e-8, 1.0, 1.25, 1.5
numbers = lambda t: [round(float(v), 9) for v in t.detach().flatten()]
single = lambda t: t.float().double()


def keep_top(a, k):
    values, indices = a.topk(k, dim=-1)
    return torch.zeros_like(a).scatter(-1, indices, values)


def run(name, variant, hp, skip, unit):
    config = SkipTranscoderConfig if skip else TranscoderConfig
    sizes = dict(d_in=D, d_sae=F, d_out=OUT, dtype="float64", device="cpu", apply_b_dec_to_input=False)
    sae = (SkipTranscoder if skip else Transcoder)(config(**sizes))
    with torch.no_grad():
        W = torch.randn(F, OUT)
        sae.W_dec.copy_(single(W / W.norm(dim=1, keepdim=True) if unit else 0.7 * W))
        sae.W_enc.copy_(single(0.5 * torch.randn(D, F)))
        sae.b_enc.copy_(single(0.1 * torch.randn(F)))
        sae.b_dec.copy_(single(0.2 * torch.randn(OUT)))
        if skip:
            sae.W_skip.copy_(single(0.3 * torch.randn(OUT, D)))
    x, y = single(1.2 * torch.randn(B, D)), single(1.2 * torch.randn(B, OUT))
    dead = torch.zeros(F)
    dead[[1, 4, 5, 9]] = 1
    params = {"W_enc": sae.W_enc, "b_enc": sae.b_enc, "W_dec": sae.W_dec, "b_dec": sae.b_dec}
    if skip:
        params["W_skip"] = sae.W_skip
    named = lambda of: {n: numbers(of(p)) for n, p in params.items()}
    start = named(lambda p: p)
    f = sae.encode(x)
    if skip:
        f = SIZE * keep_top(f, hp["k"])
        recon = sae.decode(f) + x @ sae.W_skip.T
        nmse = ((y - recon) ** 2).mean() / VARIANCE
        pre = x @ sae.W_enc + sae.b_enc
        e = (y - recon).detach()
        masked = torch.where(dead.bool(), pre, torch.full_like(pre, -torch.inf))
        z = SIZE * torch.relu(keep_top(masked, min(hp["auxK"], int(dead.sum()))).nan_to_num(neginf=0.0))
        aux = ((e - z @ sae.W_dec) ** 2).sum() / ((e - e.mean(0)) ** 2).sum()
        total, parts = nmse + hp["auxAlpha"] * aux, {"nmse": nmse, "aux": aux}
    else:
        W = SIZE * sae.W_dec
        recon = f @ W + sae.b_dec
        mse = ((y - recon) ** 2).sum(1).mean() / VARIANCE
        l1 = (f * W.norm(dim=1)).sum(1).mean() / VARIANCE**0.5
        total, parts = mse + hp["lambda"] * l1, {"mse": mse, "l1": l1}
    total.backward()
    if unit:
        W = sae.W_dec.detach()
        sae.W_dec.grad -= (sae.W_dec.grad * W).sum(1, keepdim=True) * W
    grads = named(lambda p: p.grad)
    torch.nn.utils.clip_grad_norm_(list(params.values()), CLIP)
    torch.optim.Adam(list(params.values()), lr=LR, betas=(BETA1, BETA2), eps=EPS).step()
    if unit:
        with torch.no_grad():
            sae.W_dec /= sae.W_dec.norm(dim=1, keepdim=True)
    shapes = {"W_dec": [F, OUT], "b_dec": [OUT], "size": [], **({"W_skip": [OUT, D]} if skip else {})}
    return {
        "name": name, "variant": variant, "hp": hp, "variance": VARIANCE, "lr": LR, "beta1": BETA1, "epsilon": EPS,
        "clip": CLIP, "shapes": shapes, "buffers": {"size": [SIZE]}, "params": start, "x": numbers(x), "d_out": OUT, "target": numbers(y),
        "dead": numbers(dead), "total": float(total.detach()), "parts": {n: float(p.detach()) for n, p in parts.items()},
        "codes": numbers(f), "reconstruction": numbers(recon), "grads": grads, "after": named(lambda p: p),
    }


cases = [
    run("transcoder", "transcoder", {"lambda": 0.3, "lambdaWarmup": 0, "targetL0": None}, False, False),
    run("skip transcoder", "skip-transcoder", {"k": 3, "auxAlpha": 1 / 32, "auxK": 2, "deadBias": 0}, True, True),
]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "transcoder.json")
with open(path, "w") as out:
    json.dump({"torch": torch.__version__, "d_in": D, "d_sae": F, "n": B, "cases": cases}, out)
print(path, os.path.getsize(path))
