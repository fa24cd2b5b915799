"""One training step of variants by their original implementations (dictionary_learning 0.1.0, SAELens 6.54) where those have
them, else by PyTorch from the paper, in float64. Writes originals.json beside itself:
python models/sae/testdata/originals.py"""
import json
import os
import sys
import types

import torch

# dictionary_learning reads language models with it, which no trainer needs.
sys.modules.setdefault("nnsight", types.SimpleNamespace(LanguageModel=None))
from dictionary_learning.dictionary import AutoEncoder, GatedAutoEncoder  # noqa: E402
from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer  # noqa: E402
from dictionary_learning.trainers.gdm import GatedSAETrainer  # noqa: E402
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKTrainer  # noqa: E402
from dictionary_learning.trainers.p_anneal import PAnnealTrainer  # noqa: E402
from dictionary_learning.trainers.standard import StandardTrainer  # noqa: E402
from dictionary_learning.trainers.top_k import TopKTrainer  # noqa: E402
from sae_lens.saes.abstopk_sae import AbsTopKTrainingSAE, AbsTopKTrainingSAEConfig  # noqa: E402
from sae_lens.saes.gated_sae import GatedTrainingSAE, GatedTrainingSAEConfig  # noqa: E402
from sae_lens.saes.sae import TrainStepInput  # noqa: E402

torch.set_default_dtype(torch.float64)
D, F, B = 6, 12, 8
LR, BETA2 = 0.01, 0.999
# Errors are then sums over dimensions, as in dictionary_learning.
VARIANCE = 1 / D
NEVER = 10**9

float32 = lambda t: t.float().double()


def start(seed, **more):
    """Parameters and inputs that float32 holds exactly; more: names of vectors [F]."""
    torch.manual_seed(seed)
    W_dec = torch.randn(F, D)
    W_dec = W_dec / W_dec.norm(dim=1, keepdim=True)
    params = {
        "W_enc": W_dec.T.clone() + 0.1 * torch.randn(D, F),
        "b_enc": 0.1 * torch.randn(F),
        "W_dec": W_dec,
        "b_dec": 0.2 * torch.randn(D),
    }
    for name, size in more.items():
        params[name] = size * torch.randn(F)
    x = float32(1.2 * torch.randn(B, D))
    return {k: float32(v) for k, v in params.items()}, x


class Model:
    """An original's module whose parameters go by our names; `T` marks the transposed."""

    def __init__(self, module, names):
        self.module = module.double()
        self.names = names

    def parameter(self, name):
        path, transposed = self.names[name]
        return dict(self.module.named_parameters())[path], transposed

    def load(self, params):
        for name, value in params.items():
            parameter, transposed = self.parameter(name)
            parameter.data = (value.T if transposed else value).clone().contiguous()

    def read(self, attribute):
        """`data` or `grad` of every parameter; a missing gradient is None."""
        out = {}
        for name in self.names:
            parameter, transposed = self.parameter(name)
            value = getattr(parameter, attribute)
            out[name] = None if value is None else (value.detach().clone().T if transposed else value.detach().clone())
        return out


LINEAR = {"W_enc": ("encoder.weight", True), "b_enc": ("encoder.bias", False), "W_dec": ("decoder.weight", True)}
PLAIN = {name: (name, False) for name in ("W_enc", "b_enc", "W_dec", "b_dec")}
COMMON = dict(steps=100, activation_dim=D, dict_size=F, layer=0, lm_name="none", lr=LR, warmup_steps=0, device="cpu")


def step(model, loss, x, hp, case, unit=("W_dec",), frozen=(), beta1=0.9, epsilon=1e-8, clip=1.0, project=None):
    """Backward, gradients tangent to the sphere, clipping, Adam and unit rows, in PyTorch. `loss` gives total, parts, f, x̂."""
    before = model.read("data")
    for name in frozen:
        model.parameter(name)[0].requires_grad_(False)
    total, parts, f, recon = loss(x)
    total.backward()
    for name in unit:
        parameter, transposed = model.parameter(name)
        rows = before[name]
        grad = parameter.grad.T if transposed else parameter.grad
        grad = grad - (grad * rows).sum(1, keepdim=True) / (rows * rows).sum(1, keepdim=True) * rows
        parameter.grad = (grad.T if transposed else grad).contiguous()
    trained = [p for p in model.module.parameters() if p.grad is not None]
    grads = model.read("grad")
    if clip:
        torch.nn.utils.clip_grad_norm_(trained, clip)
    torch.optim.Adam(trained, lr=LR, betas=(beta1, BETA2), eps=epsilon).step()
    after = model.read("data")
    for name in unit:
        after[name] = after[name] / after[name].norm(dim=1, keepdim=True)
    if project:
        after.update(project(after))
    return written(case, hp, before, x, total, parts, f, recon, grads, after, beta1, epsilon, clip)


def written(case, hp, before, x, total, parts, f, recon, grads, after, beta1, epsilon, clip):
    numbers = lambda t: [round(float(v), 8) for v in t.detach().flatten()]
    named = lambda d: {k: numbers(v) for k, v in d.items() if v is not None}
    shared = {"variance": VARIANCE, "dead": [0] * F, "lr": LR, "beta1": beta1, "epsilon": epsilon, "clip": clip, **case}
    return {
        **shared, "hp": hp, "params": named(before), "x": numbers(x), "total": float(total),
        "parts": {k: float(v) for k, v in parts.items()}, "codes": numbers(f), "reconstruction": numbers(recon),
        "grads": named(grads), "after": named(after),
    }


def silent(f):
    """The latents that fire in no input of the batch: dictionary_learning takes no other for dead."""
    dead = (f == 0).all(0).double()
    assert dead.sum() > 1, dead
    return dead


def matryoshka(name, seed, weights):
    fractions = [0.25, 0.25, 0.5]
    trainer = MatryoshkaBatchTopKTrainer(
        k=2, group_fractions=fractions, group_weights=[w * 3 / sum(weights) for w in weights], auxk_alpha=1 / 32, **COMMON
    )
    params, x = start(seed)
    model = Model(trainer.ae, PLAIN)
    model.load(params)
    dead = silent(trainer.ae.encode(x, use_threshold=False))
    trainer.num_tokens_since_fired = (dead * NEVER).long()

    def loss(x):
        total = trainer.loss(x, step=1)
        trainer.num_tokens_since_fired = (dead * NEVER).long()
        log = trainer.loss(x, step=1, logging=True)
        parts = {"nmse": log.losses["l2_loss"], "aux": log.losses["auxk_loss"], "smallest": log.f[log.f > 0].min()}
        return total, parts, log.f, log.x_hat

    hp = {"k": 2, "groups": fractions, "groupWeights": weights, "auxAlpha": 1 / 32, "auxK": 3}
    case = {"name": name, "variant": "matryoshka", "dead": dead.tolist()}
    return step(model, loss, x, hp, case)


def batchtopk(case, seed, more=lambda model: 0.0, more_parts=lambda model: {}, hp={}, **changes):
    """dictionary_learning's BatchTopK with parts left out of training, or terms added."""
    trainer = BatchTopKTrainer(k=2, auxk_alpha=0.0, **COMMON)
    params, x = start(seed)
    model = Model(trainer.ae, {**LINEAR, "b_dec": ("b_dec", False)})
    model.load(params)

    def loss(x):
        log = trainer.loss(x, step=1, logging=True)
        parts = {"nmse": log.losses["l2_loss"], "smallest": log.f[log.f > 0].min(), **more_parts(trainer.ae)}
        return trainer.loss(x, step=1) + more(trainer.ae), parts, log.f, log.x_hat

    return step(model, loss, x, {"k": 2, "auxAlpha": 0, "auxK": 3, **hp}, case, **changes)


def orthogonality(ae):
    """arXiv:2509.22033 with one chunk."""
    rows = ae.decoder.weight.T / ae.decoder.weight.T.norm(dim=1, keepdim=True)
    cosines = rows @ rows.T - 4 * torch.eye(F)
    return (cosines.max(dim=1).values ** 2).mean()


def soft_frozen(case, seed):
    """arXiv:2602.14111: below cosine c with the start d0, d <- c d0 + sqrt(1 - c²) d_perp / |d_perp|."""
    params, _ = start(seed)
    torch.manual_seed(seed + 1000)
    near = params["W_dec"] + torch.linspace(0.0, 0.5, F)[:, None] * torch.randn(F, D)
    d0 = float32(near / near.norm(dim=1, keepdim=True))
    c = 0.95

    def project(after):
        d = after["W_dec"]
        cosine = (d * d0).sum(1, keepdim=True)
        perpendicular = d - cosine * d0
        edge = c * d0 + (1 - c * c) ** 0.5 * perpendicular / perpendicular.norm(dim=1, keepdim=True)
        assert 0 < (cosine < c).sum() < F
        return {"W_dec": torch.where(cosine < c, edge, d)}

    buffers = {"start": [round(float(v), 8) for v in d0.flatten()]}
    return batchtopk({**case, "buffers": buffers}, seed, hp={"minCosine": c}, project=project)


def frozen_encoder(case, seed):
    """BatchTopK of fixed random projections; the decoder is free in length."""
    params, x = start(seed)
    module = torch.nn.Module()
    for name, value in params.items():
        module.register_parameter(name, torch.nn.Parameter(value.clone()))
    model = Model(module, PLAIN)

    def loss(x):
        acts = torch.relu(x @ module.W_enc + module.b_enc)
        top = acts.flatten().topk(2 * B)
        f = torch.zeros_like(acts).flatten().scatter(-1, top.indices, top.values).reshape(acts.shape)
        recon = f @ module.W_dec + module.b_dec
        mse = ((x - recon) ** 2).sum(1).mean()
        return mse, {"nmse": mse, "smallest": f[f > 0].min()}, f, recon

    return step(model, loss, x, {"k": 2}, case, unit=(), frozen=("W_enc", "b_enc"))


def gated(case, seed):
    """The original's own update: projection, Adam without clipping, unit rows."""
    trainer = GatedSAETrainer(l1_penalty=0.4, sparsity_warmup_steps=None, **COMMON)
    names = {"W_enc": LINEAR["W_enc"], "W_dec": LINEAR["W_dec"], "b_dec": ("decoder_bias", False)}
    names.update({"b_gate": ("gate_bias", False), "b_mag": ("mag_bias", False), "r_mag": ("r_mag", False)})
    params, x = start(seed, b_gate=0.2, b_mag=0.2, r_mag=0.3)
    del params["b_enc"]
    model = Model(trainer.ae, names)
    model.load(params)
    before = model.read("data")
    log = trainer.loss(x, 0, logging=True)
    trainer.update(0, x)
    grads = model.read("grad")
    parts = {"mse": log.losses["mse_loss"], "l1": log.losses["sparsity_loss"], "aux": log.losses["aux_loss"]}
    hp = {"lambda": 0.4, "lambdaWarmup": 0, "targetL0": None, "norms": "unit"}
    return written(
        case, hp, before, x, log.losses["loss"], parts, log.f, log.x_hat, grads, model.read("data"), 0.0, 1e-8, 0
    )


def gated_free(case, seed):
    """SAELens: free lengths, which weight the penalty; the gates' reconstruction trains the decoder."""
    sae = GatedTrainingSAE(
        GatedTrainingSAEConfig(d_in=D, d_sae=F, l1_coefficient=0.4, apply_b_dec_to_input=True, dtype="float64", device="cpu")
    )
    params, x = start(seed, b_gate=0.2, b_mag=0.2, r_mag=0.3)
    del params["b_enc"]
    params["W_dec"] = float32(params["W_dec"] * torch.linspace(0.5, 1.5, F)[:, None])
    model = Model(sae, {name: (name, False) for name in params})
    model.load(params)

    def loss(x):
        given = TrainStepInput(
            sae_in=x, coefficients={"l1": 0.4}, dead_neuron_mask=None, n_training_steps=1, is_logging_step=False
        )
        out = sae.training_forward_pass(given)
        parts = {"mse": out.losses["mse_loss"], "l1": out.losses["l1_loss"] / 0.4}
        parts["aux"] = out.losses["auxiliary_reconstruction_loss"]
        return out.loss, parts, out.feature_acts, out.sae_out

    hp = {"lambda": 0.4, "lambdaWarmup": 0, "targetL0": None, "norms": "free"}
    return step(model, loss, x, hp, case, unit=(), beta1=0.0)


def bricken(case, seed):
    trainer = StandardTrainer(l1_penalty=0.4, sparsity_warmup_steps=None, **COMMON)
    params, x = start(seed)
    model = Model(trainer.ae, {**LINEAR, "b_dec": ("bias", False)})
    model.load(params)
    before = model.read("data")
    log = trainer.loss(x, 0, logging=True)
    trainer.update(0, x)
    parts = {"mse": log.losses["mse_loss"], "l1": log.losses["sparsity_loss"]}
    hp = {"lambda": 0.4, "lambdaWarmup": 0, "targetL0": None, "resamplings": 0, "resampleUntil": 0.5}
    return written(
        case, hp, before, x, log.losses["loss"], parts, log.f, log.x_hat, model.read("grad"), model.read("data"), 0.9, 1e-8, 0
    )


def p_anneal(case, seed, norm):
    """From p = 1 to 0.4 in 4 changes from step 2 of 14 on; the numbers are those of step 7, after two changes."""
    trainer = PAnnealTrainer(
        **{**COMMON, "steps": 14}, sparsity_function=norm, initial_sparsity_penalty=0.4, sparsity_warmup_steps=None,
        anneal_start=2, p_end=0.4, n_sparsity_updates=4,
    )
    params, x = start(seed)
    model = Model(trainer.ae, {**LINEAR, "b_dec": ("bias", False)})
    model.load(params)
    history = []
    for at in range(14):
        batch = x if at == 7 else float32(1.2 * torch.randn(B, D))
        before = model.read("data")
        used = {"p": trainer.p, "lambda": trainer.sparsity_coeff}
        _, x_hat, f, log = trainer.loss(batch, -1, logging=True)
        # This look has left its numbers in the queue of those that λ follows.
        looked = [] if trainer.next_p is None else trainer.sparsity_queue[-1:]
        trainer.sparsity_queue = trainer.sparsity_queue[: -1 if looked else None]
        history.append({**used, "carry": dict(zip(("now", "next"), looked[0])) if looked else {}})
        if at != 7:
            trainer.update(at, batch)
            continue
        mse = ((batch - x_hat) ** 2).sum(1).mean()
        next_p = trainer.next_p
        trainer.optimizer.state.clear()
        trainer.update(at, batch)
        hp = {"lambda": 0.4, "lambdaWarmup": 0, "targetL0": None}
        hp.update({"norm": norm, "pEnd": 0.4, "annealFrom": 1 / 7, "changes": 4})
        result = written(
            {**case, "scalars": {"p": used["p"], "nextP": next_p, "lambdaScale": used["lambda"] / 0.4}}, hp, before, batch,
            mse + log["scaled_lp_loss"], {"mse": mse, "sparsity": log["lp_loss"]}, f, x_hat, model.read("grad"),
            model.read("data"), 0.9, 1e-8, 0,
        )
    result["history"] = history
    return result


def multi_topk(case, seed):
    """dictionary_learning's TopK, and its loss at 4 k (arXiv:2406.04093, section A.6) by the same weights."""
    trainer = TopKTrainer(k=2, auxk_alpha=1 / 32, **COMMON)
    params, x = start(seed)
    model = Model(trainer.ae, {**LINEAR, "b_dec": ("b_dec", False)})
    model.load(params)

    def loss(x):
        log = trainer.loss(x, step=1, logging=True)
        acts = torch.relu((x - trainer.ae.b_dec) @ trainer.ae.encoder.weight.T + trainer.ae.encoder.bias)
        top = acts.topk(8, dim=-1)
        wide = torch.zeros_like(acts).scatter(-1, top.indices, top.values) @ trainer.ae.decoder.weight.T + trainer.ae.b_dec
        error = ((x - wide) ** 2).sum(1).mean()
        parts = {"nmse": log.losses["l2_loss"], "wideNmse": error}
        return trainer.loss(x, step=1) + error / 8, parts, log.f, log.x_hat

    hp = {"k": 2, "auxAlpha": 0, "auxK": 3, "deadBias": 0, "wideK": None, "wideWeight": 1 / 8}
    return step(model, loss, x, hp, case)


def abstopk(case, seed):
    """SAELens; its AuxK is that of Gao et al. but for the unit, which is the spread of the error here."""
    sae = AbsTopKTrainingSAE(
        AbsTopKTrainingSAEConfig(
            d_in=D, d_sae=F, k=2, aux_loss_coefficient=1.0, rescale_acts_by_decoder_norm=False, apply_b_dec_to_input=True,
            dtype="float64", device="cpu",
        )
    )
    params, x = start(seed)
    model = Model(sae, PLAIN)
    model.load(params)
    f = sae.encode(x)
    dead = silent(f)

    def loss(x):
        given = TrainStepInput(
            sae_in=x, coefficients={}, dead_neuron_mask=dead.bool(), n_training_steps=1, is_logging_step=False
        )
        out = sae.training_forward_pass(given)
        mse = out.losses["mse_loss"]
        e = (x - out.sae_out).detach()
        scale = min(float(dead.sum()) / (D // 2), 1.0)
        aux = out.losses["auxiliary_reconstruction_loss"] / scale / ((e - e.mean(0)) ** 2).sum(1).mean()
        return mse + aux / 32, {"nmse": mse, "aux": aux}, out.feature_acts, out.sae_out

    return step(model, loss, x, {"k": 2, "auxAlpha": 1 / 32, "auxK": 3}, {**case, "dead": dead.tolist()})


def named(name, variant=None):
    return {"name": name, "variant": variant or name}


cases = [
    matryoshka("matryoshka", 12, [1, 1, 1]),
    matryoshka("matryoshka, weighted", 12, [1, 0, 3]),
    batchtopk(named("ortsae"), 13, lambda ae: 0.25 * orthogonality(ae), lambda ae: {"orthogonal": orthogonality(ae)},
              hp={"gamma": 0.25, "chunk": 12, "every": 1}),
    batchtopk(named("frozen-decoder"), 14, unit=(), frozen=("W_dec",)),
    soft_frozen(named("soft-frozen-decoder"), 15),
    frozen_encoder(named("frozen-encoder"), 16),
    gated(named("gated, unit rows", "gated"), 17),
    gated_free(named("gated, free rows", "gated"), 23),
    bricken(named("relu-bricken"), 18),
    p_anneal(named("p-anneal"), 19, "Lp^p"),
    p_anneal(named("p-anneal, Lp", "p-anneal"), 20, "Lp"),
    multi_topk(named("multi-topk"), 21),
    abstopk(named("abstopk"), 22),
]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "originals.json")
with open(path, "w") as out:
    json.dump({"torch": torch.__version__, "d_in": D, "d_sae": F, "n": B, "cases": cases}, out)
print(path, os.path.getsize(path))
