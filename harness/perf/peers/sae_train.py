"""One SAE training step in PyTorch: tokens/s.

usage: sae_train.py VARIANT D F K BATCH MODE STEPS [cuda]
VARIANT: topk | relu | jumprelu | gated | matryoshka | switch-EXPERTS | kron-M-N.  MODE: float32 | bf16 (autocast) | compile (float32, torch.compile) | bf16-compile,
or a JSON file of weights and inputs: the loss on them is printed then, which must be ours.
K: latents kept (topk and those like it), or how many are to be active on average, 0 for as many as a fresh SAE has.
TopK is dictionary_learning's own step (TopKTrainer.update) where that package is importable, else the same arithmetic
written here, AuxK included; ReLU and JumpReLU are written here. A switch SAE multiplies the rows of each expert by that expert's
part of the weights only, or, where it is to be compiled, all of them under a mask, as the original implementation does; KronSAE
composes all latents. A matryoshka SAE takes the largest codes of the batch and decodes group by group, as its authors do; a gated
one decodes twice. All are written here.
"""

import importlib.util
import json
import sys
import types

import torch

from common import report, seconds, torch_note

name, d, f, k, batch, mode, steps = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6], int(sys.argv[7])
if mode not in ("float32", "bf16", "compile", "bf16-compile") and not mode.endswith(".json"):
    sys.exit(f"sae_train.py: MODE: expected float32, bf16, compile, bf16-compile or a .json file, found {mode}")
variant, *sizes = name.split("-")
sizes = [int(size) for size in sizes]
device = sys.argv[8] if len(sys.argv) > 8 else "cpu"
if device != "cpu":
    torch.set_default_device(device)
torch.manual_seed(0)


def dictionary_learning_trainer():
    """The package's trainer without its __init__, which needs packages that have nothing to do with the step."""
    spec = importlib.util.find_spec("dictionary_learning")
    if spec is None or importlib.util.find_spec("einops") is None:
        return None
    package = types.ModuleType("dictionary_learning")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["dictionary_learning"] = package
    for name in ("trainers",):
        sub = types.ModuleType(f"dictionary_learning.{name}")
        sub.__path__ = [f"{package.__path__[0]}/{name}"]
        sys.modules[f"dictionary_learning.{name}"] = sub
    common = dict(steps=10_000, activation_dim=d, dict_size=f, layer=0, lm_name="none", device=device, seed=0)
    if variant == "topk":
        from dictionary_learning.trainers.top_k import TopKTrainer

        return TopKTrainer(k=k, **common)
    return None


class Plain(torch.nn.Module):
    """TopK (with AuxK), Matryoshka, ReLU (April 2024), JumpReLU (step penalty) and Gated SAEs, written plainly."""

    def __init__(self):
        super().__init__()
        w = torch.randn(f, d)
        w = 0.1 * w / w.norm(dim=1, keepdim=True)
        self.w_dec = torch.nn.Parameter(w.clone())
        self.w_enc = torch.nn.Parameter(w.t().clone())
        self.b_enc = torch.nn.Parameter(torch.zeros(f))
        self.b_dec = torch.nn.Parameter(torch.zeros(d))
        if variant in ("topk", "matryoshka"):
            with torch.no_grad():
                self.w_dec.div_(self.w_dec.norm(dim=1, keepdim=True))
                self.w_enc.copy_(self.w_dec.t())
        elif variant == "jumprelu":
            self.theta = torch.nn.Parameter(torch.full((f,), 0.01))
        elif variant == "gated":
            self.b_mag = torch.nn.Parameter(torch.zeros(f))
            self.r_mag = torch.nn.Parameter(torch.zeros(f))
        elif variant != "relu":
            sys.exit(f"sae_train.py: VARIANT: expected one of the above, found {variant}")
        if variant not in ("topk", "matryoshka") and k > 0:
            # The start of a ReLU or JumpReLU SAE is dense; its biases put it where training leads to.
            pre = (torch.randn(64, d) @ self.w_enc.detach()).flatten()
            cut = pre.sort().values[int(pre.numel() * (1 - k / f))]
            self.b_enc.data.fill_((0.01 if variant == "jumprelu" else 0.0) - cut)
            if variant == "gated":
                self.b_mag.data.fill_(-cut)
        self.since = torch.zeros(f, dtype=torch.long)

    def topk_loss(self, x):
        a = torch.relu((x - self.b_dec) @ self.w_enc + self.b_enc)
        values, indices = a.topk(k, sorted=False)
        codes = torch.zeros_like(a).scatter_(-1, indices, values)
        x_hat = codes @ self.w_dec + self.b_dec
        loss = (x - x_hat).pow(2).sum(1).mean()
        fired = torch.zeros(f, dtype=torch.bool)
        fired[indices.flatten()] = True
        self.since = torch.where(fired, 0, self.since + len(x))
        dead = self.since >= 10_000_000
        if not dead.any():
            return loss
        live_out = torch.where(dead, a, -torch.inf)
        values, indices = live_out.topk(min(d // 2, int(dead.sum())), sorted=False)
        error = (x - x_hat).detach()
        aux = torch.zeros_like(a).scatter_(-1, indices, values) @ self.w_dec
        spread = (error - error.mean(0)).pow(2).sum(1).mean()
        return loss + (error - aux).pow(2).sum(1).mean() / spread / 32

    def matryoshka_loss(self, x):
        """The mean error of the reconstructions by the first 1/16 of the latents, 1/8, 1/4, 1/2 and all."""
        a = torch.relu((x - self.b_dec) @ self.w_enc + self.b_enc)
        values, indices = a.flatten().topk(k * len(x), sorted=False)
        codes = torch.zeros_like(a).flatten().scatter_(-1, indices, values).view_as(a)
        x_hat, total, start = self.b_dec, 0, 0
        ends = [f // 16, f // 8, f // 4, f // 2, f]
        for end in ends:
            x_hat = x_hat + codes[:, start:end] @ self.w_dec[start:end]
            total = total + (x - x_hat).pow(2).sum(1).mean()
            start = end
        return total / len(ends)

    def gated_loss(self, x):
        """SAELens's: both parts of the encoder share one matrix, and the gates' own reconstruction trains the decoder too."""
        pre = (x - self.b_dec) @ self.w_enc
        gate = torch.relu(pre + self.b_enc)
        a = torch.relu(torch.exp(self.r_mag) * pre + self.b_mag) * (gate > 0)
        mse = (x - a @ self.w_dec - self.b_dec).pow(2).sum(1).mean()
        aux = (x - gate @ self.w_dec - self.b_dec).pow(2).sum(1).mean()
        return mse + aux + 5.0 * (gate * self.w_dec.norm(dim=1)).sum(1).mean()

    @torch.no_grad()
    def tangent(self):
        """The decoder's gradient less its part along each row."""
        self.w_dec.grad -= (self.w_dec.grad * self.w_dec).sum(1, keepdim=True) * self.w_dec

    @torch.no_grad()
    def unit_rows(self):
        self.w_dec.div_(self.w_dec.norm(dim=1, keepdim=True))

    def forward(self, x):
        if variant == "topk":
            return self.topk_loss(x)
        if variant == "matryoshka":
            return self.matryoshka_loss(x)
        if variant == "gated":
            return self.gated_loss(x)
        z = x @ self.w_enc + self.b_enc
        if variant == "relu":
            a = torch.relu(z)
            penalty = 5.0 * (a * self.w_dec.norm(dim=1)).sum(1).mean()
        else:
            on = (z > self.theta).float()
            bandwidth = 0.05
            window = ((z - self.theta).abs() < bandwidth / 2).float() / bandwidth
            # Straight-through: the value of the gate with the rectangle kernel's gradient on theta.
            gate = on - (self.theta - self.theta.detach()) * window.detach()
            a = z * on - (self.theta - self.theta.detach()) * (self.theta * window).detach()
            penalty = 0.5 * gate.sum(1).mean()
        x_hat = a @ self.w_dec + self.b_dec
        return (x - x_hat).pow(2).sum(1).mean() + penalty


class Switch(torch.nn.Module):
    """A router and TopK experts, without encoder bias; by expert, or all latents under a mask."""

    def __init__(self, experts, masked):
        super().__init__()
        self.masked, self.experts, width = masked, experts, f // experts
        w = torch.randn(experts, width, d)
        w = w / w.norm(dim=2, keepdim=True)
        self.w_dec = torch.nn.Parameter(w)
        self.w_enc = torch.nn.Parameter(w.transpose(1, 2).contiguous())
        self.w_router = torch.nn.Parameter((torch.rand(d, experts) - 0.5) * 2 / d**0.5)
        self.b_dec = torch.nn.Parameter(torch.zeros(d))
        self.b_router = torch.nn.Parameter(torch.zeros(d))

    def codes(self, a):
        values, indices = a.topk(k, sorted=False)
        return torch.zeros_like(a).scatter_(-1, indices, values)

    def forward(self, x):
        p = torch.softmax((x - self.b_router) @ self.w_router, dim=-1)
        gate, expert = p.max(dim=1)
        share = torch.nn.functional.one_hot(expert, self.experts).float().mean(0)
        balance = self.experts * (share * p.mean(0)).sum()
        centred = x - self.b_dec
        if self.masked:
            w_enc = self.w_enc.transpose(0, 1).reshape(d, f)
            mask = torch.nn.functional.one_hot(expert, self.experts) * gate[:, None]
            a = torch.relu(centred @ w_enc).view(len(x), self.experts, -1) * mask[:, :, None]
            x_hat = self.codes(a.view(len(x), f)) @ self.w_dec.view(f, d) + self.b_dec
            return (x - x_hat).pow(2).sum(1).mean() + 0.1 * d * balance
        error = 0
        for e, (enc, dec) in enumerate(zip(self.w_enc.unbind(0), self.w_dec.unbind(0))):
            rows = (expert == e).nonzero().flatten()
            if len(rows) == 0:
                continue
            a = torch.relu(centred[rows] @ enc) * gate[rows, None]
            error = error + (x[rows] - self.codes(a) @ dec - self.b_dec).pow(2).sum()
        return error / len(x) + 0.1 * d * balance

    @torch.no_grad()
    def tangent(self):
        self.w_dec.grad -= (self.w_dec.grad * self.w_dec).sum(-1, keepdim=True) * self.w_dec

    @torch.no_grad()
    def unit_rows(self):
        self.w_dec.div_(self.w_dec.norm(dim=-1, keepdim=True))


class Kron(Switch):
    """Latents composed of m and n factors in each head, TopK over all of them."""

    def __init__(self, m, n):
        torch.nn.Module.__init__(self)
        self.m, self.n, self.heads = m, n, f // (m * n)
        w = torch.randn(f, d)
        self.w_dec = torch.nn.Parameter(w / w.norm(dim=1, keepdim=True))
        self.w_base = torch.nn.Parameter(torch.randn(d, self.heads * m) / d**0.5)
        self.w_extension = torch.nn.Parameter(torch.randn(d, self.heads * n) / d**0.5)
        self.b_dec = torch.nn.Parameter(torch.zeros(d))

    def forward(self, x):
        centred = x - self.b_dec
        u = torch.relu(centred @ self.w_base).view(len(x), self.heads, self.m, 1)
        v = torch.relu(centred @ self.w_extension).view(len(x), self.heads, 1, self.n)
        products = (u * v).view(len(x), f)
        values, indices = products.topk(k, sorted=False)
        # The root of what is kept only; at 0 its gradient is infinite.
        roots = torch.where(values > 0, values.clamp_min(1e-12).sqrt(), 0)
        codes = torch.zeros_like(products).scatter_(-1, indices, roots)
        return (x - codes @ self.w_dec - self.b_dec).pow(2).sum(1).mean()


def model_of():
    if variant == "switch":
        return Switch(*sizes, masked="compile" in mode)
    return Kron(*sizes) if variant == "kron" else Plain()


def print_loss(path):
    """The loss of the variant, by every road that it has, with the weights and inputs of a file."""
    with open(path) as file:
        given = json.load(file)
    losses = []
    for masked in (False, True) if variant == "switch" else (False,):
        model = Switch(*sizes, masked) if variant == "switch" else model_of()
        for name, parameter in model.named_parameters():
            parameter.data.copy_(torch.tensor(given["params"][name]).view_as(parameter))
        losses.append(model(torch.tensor(given["x"]).view(-1, d)).item())
    print(json.dumps(losses))


if mode.endswith(".json"):
    print_loss(mode)
    sys.exit()
on_sphere = variant in ("topk", "matryoshka", "switch", "kron")
data = [torch.randn(batch, d) for _ in range(4)]
trainer = dictionary_learning_trainer()
note = "dictionary_learning" if trainer is not None else "plain torch"
counter = 0

if trainer is not None:
    if "compile" in mode:
        trainer.loss = torch.compile(trainer.loss)

    def step():
        global counter
        with torch.autocast(device, dtype=torch.bfloat16, enabled="bf16" in mode):
            trainer.update(counter, data[counter % 4])
        counter += 1
else:
    model = model_of()
    forward = torch.compile(model) if "compile" in mode else model
    betas = (0.0 if variant == "gated" else 0.9, 0.999)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4, betas=betas, fused=True)

    def step():
        global counter
        with torch.autocast(device, dtype=torch.bfloat16, enabled="bf16" in mode):
            loss = forward(data[counter % 4])
        optimiser.zero_grad()
        loss.backward()
        if on_sphere:
            model.tangent()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if on_sphere:
            model.unit_rows()
        counter += 1


wait = torch.cuda.synchronize if device == "cuda" else None
report(batch / seconds(step, steps, wait=wait), "tokens/s", f"{note}, {mode}, {torch_note(torch)}")
