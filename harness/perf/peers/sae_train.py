"""One SAE training step in PyTorch: tokens/s.

usage: sae_train.py VARIANT D F K BATCH MODE STEPS
VARIANT: topk | relu | jumprelu.  MODE: float32 | bf16 (autocast) | compile (float32, torch.compile) | bf16-compile.
The step is dictionary_learning's own (TopKTrainer.update, StandardTrainerAprilUpdate.update, JumpReluTrainer.update)
where that package is importable, else the same arithmetic written here.
"""

import importlib.util
import sys
import types

import torch

from common import report, seconds

variant, d, f, k, batch, mode, steps = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6], int(sys.argv[7])
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
    common = dict(steps=10_000, activation_dim=d, dict_size=f, layer=0, lm_name="none", device="cpu", seed=0)
    if variant == "topk":
        from dictionary_learning.trainers.top_k import TopKTrainer

        return TopKTrainer(k=k, **common)
    return None


class Plain(torch.nn.Module):
    """ReLU (April 2024) and JumpReLU (step penalty) SAEs, written plainly."""

    def __init__(self):
        super().__init__()
        w = torch.randn(f, d)
        w = 0.1 * w / w.norm(dim=1, keepdim=True)
        self.w_dec = torch.nn.Parameter(w.clone())
        self.w_enc = torch.nn.Parameter(w.t().clone())
        self.b_enc = torch.nn.Parameter(torch.zeros(f))
        self.b_dec = torch.nn.Parameter(torch.zeros(d))
        self.theta = torch.nn.Parameter(torch.full((f,), 0.01))

    def forward(self, x):
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


data = [torch.randn(batch, d) for _ in range(4)]
trainer = dictionary_learning_trainer()
note = "dictionary_learning" if trainer is not None else "plain torch"
counter = 0

if trainer is not None:
    if "compile" in mode:
        trainer.loss = torch.compile(trainer.loss)

    def step():
        global counter
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled="bf16" in mode):
            trainer.update(counter, data[counter % 4])
        counter += 1
else:
    model = Plain()
    forward = torch.compile(model) if "compile" in mode else model
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

    def step():
        global counter
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled="bf16" in mode):
            loss = forward(data[counter % 4])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        counter += 1


report(batch / seconds(step, steps), "tokens/s", f"{note}, {mode}, {torch.get_num_threads()} threads")
