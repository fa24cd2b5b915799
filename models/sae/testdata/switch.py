"""One training step of the switch SAE by the original implementation, in float64. Writes switch.json beside itself.

usage: python models/sae/testdata/switch.py FOLDER
FOLDER: a clone of github.com/amudide/switch_sae (commit 1b48457). Needs torch and einops. Its decoder is a Triton kernel, which
a product of the same meaning stands in for. Its loss is divided by d · variance, the units of ours.
"""
import importlib
import json
import os
import sys
import types

import torch

torch.set_default_dtype(torch.float64)
# Theirs turns the experts' shares into float32, which has no product with float64.
torch.Tensor.float = torch.Tensor.double
D, F, B = 6, 12, 16
LR, BETA1, BETA2, EPS, CLIP, VARIANCE = 0.01, 0.9, 0.999, 6.25e-10, 1.0, 1.25


class Decoder:
    @staticmethod
    def apply(indices, values, decoder):
        return torch.zeros(len(values), F).scatter(1, indices, values) @ decoder.mT


def original(folder):
    sys.path.insert(0, folder)
    for name in ["dictionary_learning", "dictionary_learning.trainers"]:
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(folder, *name.split("."))]
        sys.modules[name] = package
    kernels = types.ModuleType("dictionary_learning.kernels")
    kernels.TritonDecoder = Decoder
    sys.modules["dictionary_learning.kernels"] = kernels
    return importlib.import_module("dictionary_learning.trainers.switch")


def run(module, name, k, experts, balance):
    trainer = module.SwitchTrainer(
        activation_dim=D, dict_size=F, k=k, experts=experts, lb_alpha=balance * VARIANCE, seed=7, device="cpu",
        layer=0, lm_name="none",
    )
    ae = trainer.ae
    with torch.no_grad():
        ae.b_dec.copy_(0.2 * torch.randn(D))
        ae.b_router.copy_(0.2 * torch.randn(D))
        ae.router.weight.mul_(4)
        for p in ae.parameters():
            p.copy_(p.to(torch.float32))
    names = {
        "W_enc": (ae.encoder.weight, True), "W_dec": (ae.decoder, False), "b_dec": (ae.b_dec, False),
        "W_router": (ae.router.weight, True), "b_router": (ae.b_router, False),
    }
    x = (1.2 * torch.randn(B, D)).to(torch.float32).double()
    log = trainer.loss(x, logging=True)
    f, x_hat = log.f, log.x_hat
    values, indices = f.topk(k, dim=-1)
    codes = torch.zeros_like(f).scatter(-1, indices, values)
    total = trainer.loss(x) / (D * VARIANCE)
    ae.zero_grad()
    total.backward()
    variables = {n: p for n, (p, _) in names.items()}
    # Our trainer takes the component along the decoder's rows away before it clips, theirs after.
    W = ae.decoder.detach()
    W = W / W.norm(dim=1, keepdim=True)
    ae.decoder.grad -= (ae.decoder.grad * W).sum(1, keepdim=True) * W
    flat = lambda t, turned: [round(float(v), 9) for v in (t.T if turned else t).detach().flatten()]
    numbers = lambda of: {n: flat(of(p), turned) for n, (p, turned) in names.items()}
    params, grads = numbers(lambda p: p), numbers(lambda p: p.grad)
    torch.nn.utils.clip_grad_norm_(list(variables.values()), CLIP)
    torch.optim.Adam(list(variables.values()), lr=LR, betas=(BETA1, BETA2), eps=EPS).step()
    ae.set_decoder_norm_to_unit_norm()
    return {
        "name": name, "variant": "switch", "hp": {"k": k, "experts": experts, "balance": balance}, "variance": VARIANCE,
        "lr": LR, "beta1": BETA1, "epsilon": EPS, "clip": CLIP,
        "shapes": {"W_router": [D, experts], "b_router": [D]},
        "params": params, "x": flat(x, False), "dead": [0] * F, "total": float(total.detach()),
        "parts": {
            "nmse": log.losses["l2_loss"] / (D * VARIANCE),
            "imbalance": log.losses["lb_loss"],
        },
        "codes": flat(codes, False), "reconstruction": flat(x_hat, False), "grads": grads, "after": numbers(lambda p: p),
    }


module = original(sys.argv[1])
cases = [
    run(module, "switch", k=2, experts=3, balance=0.5),
    run(module, "switch, k the whole expert", k=3, experts=4, balance=0.0),
    run(module, "switch, one expert", k=3, experts=1, balance=0.5),
]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "switch.json")
with open(path, "w") as out:
    json.dump({"torch": torch.__version__, "d_in": D, "d_sae": F, "n": B, "cases": cases}, out)
print(path, os.path.getsize(path))
