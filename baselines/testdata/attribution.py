"""Input x gradient, integrated gradients and three steps of their classifier in PyTorch, on the tiny Llama of
models/subjects/testdata/llama-sharded in float64. Writes attribution.json beside itself: python baselines/testdata/attribution.py"""
import json
import os

import torch
from transformers import AutoModelForCausalLM

torch.manual_seed(3)
here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, "../../models/subjects/testdata/llama-sharded")
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
for parameter in model.parameters():
    parameter.requires_grad = False
d = model.config.hidden_size
h = d // 2
texts = [[1, 7, 12, 30, 5], [1, 44, 3, 9, 21, 33, 18, 2], [1, 20, 8]]
head = {name: (0.6 * torch.randn(*shape)).float().double() for name, shape in
        {"w1": (d, h), "b1": (h,), "w2": (h, 2), "b2": (2,)}.items()}
baseline = (0.1 * torch.randn(d)).float().double()
STEPS = 5


def logits(params, states):
    return torch.relu(states @ params["w1"] + params["b1"]) @ params["w2"] + params["b2"]


def at_site(ids):
    found = {}
    handle = model.model.layers[0].register_forward_hook(
        lambda _m, _i, out: found.update(x=out[0] if isinstance(out, tuple) else out))
    state = model.model(input_ids=torch.tensor([ids])).last_hidden_state[0, -1]
    handle.remove()
    return found["x"].detach(), state.detach()


def gradient(ids, x):
    x = x.clone().requires_grad_(True)
    handle = model.model.layers[0].register_forward_hook(
        lambda _m, _i, out: (x,) + out[1:] if isinstance(out, tuple) else x)
    state = model.model(input_ids=torch.tensor([ids])).last_hidden_state[0, -1]
    handle.remove()
    p = torch.softmax(logits(head, state), dim=-1)[1]
    return torch.autograd.grad(p, x)[0], p.item()


out = {"texts": texts, "head": {k: v.flatten().tolist() for k, v in head.items()}, "baseline": baseline.tolist(),
       "steps": STEPS, "states": [], "probabilities": [], "ixg": [], "ig": []}
for ids in texts:
    x, state = at_site(ids)
    grad, p = gradient(ids, x)
    out["states"].append(state.tolist())
    out["probabilities"].append(p)
    out["ixg"].append((x * grad).abs().sum(-1)[0].tolist())
    mean = sum(gradient(ids, baseline + i / STEPS * (x - baseline))[0] for i in range(STEPS)) / STEPS
    out["ig"].append(((x - baseline) * mean).abs().sum(-1)[0].tolist())

# Three steps of AdamW on all of six states, without dropout; the rate falls linearly to 0.
states = torch.randn(6, 8).float().double()
labels = torch.tensor([1, 0, 1, 1, 0, 0])
start = {name: (0.5 * torch.randn(*shape)).float().double() for name, shape in
         {"w1": (8, 4), "b1": (4,), "w2": (4, 2), "b2": (2,)}.items()}
out["training"] = {"states": states.flatten().tolist(), "labels": labels.tolist(),
                   "start": {k: v.flatten().tolist() for k, v in start.items()}}
for softmax in ["once", "twice"]:
    params = {k: v.clone().requires_grad_(True) for k, v in start.items()}
    optimiser = torch.optim.AdamW(params.values(), lr=0.05, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / 3)
    for _ in range(3):
        outputs = logits(params, states)
        if softmax == "twice":
            outputs = torch.softmax(outputs, dim=-1)
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(outputs, labels).backward()
        optimiser.step()
        schedule.step()
    out["training"][softmax] = {k: v.flatten().tolist() for k, v in params.items()}


def rounded(value):
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


with open(os.path.join(here, "attribution.json"), "w") as file:
    json.dump(rounded(out), file)
