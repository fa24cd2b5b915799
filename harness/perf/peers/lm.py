"""
A language model by transformers: loaded, forward passes with activation capture, and batched generation.

usage: lm.py forward|collect|generate|steer|load FOLDER SITE_LAYER BATCH LENGTH [float32|bfloat16] [cuda]

`forward` gives all logits, `collect` stops at the layer; `steer` generates with a vector added there. `load` is from the folder
to the logits of one batch, in seconds: weights are mapped, and read when they are first used.
"""

import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from common import report, seconds, torch_note

what, folder, layer, batch, length = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
dtype = getattr(torch, sys.argv[6] if len(sys.argv) > 6 else "float32")
device = sys.argv[7] if len(sys.argv) > 7 else "cpu"
if device != "cpu":
    torch.set_default_device(device)
wait = torch.cuda.synchronize if device == "cuda" else None
torch.manual_seed(0)
captured = []


class Stopped(Exception):
    """The layer has been reached, and nothing after it is wanted."""


def hook(_module, _inputs, out):
    hidden = out[0] if isinstance(out, tuple) else out
    if what == "steer":
        hidden = hidden + vector
        return (hidden, *out[1:]) if isinstance(out, tuple) else hidden
    captured.append(hidden)
    if what == "collect":
        raise Stopped
    return None


def load():
    AutoTokenizer.from_pretrained(folder)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).to(device).eval()


def some_ids(model):
    return torch.randint(3, model.config.vocab_size, (batch, max(8, length)))


@torch.inference_mode()
def forward():
    captured.clear()
    try:
        model(ids[:, :length])
    except Stopped:
        pass


@torch.inference_mode()
def generate():
    captured.clear()
    model.generate(
        ids[:, :8],
        attention_mask=torch.ones_like(ids[:, :8]),
        max_new_tokens=length,
        min_new_tokens=length,
        do_sample=True,
        pad_token_id=0,
    )


@torch.inference_mode()
def load_and_use():
    fresh = load()
    fresh(some_ids(fresh)[:, :length])


if what == "load":
    report(seconds(load_and_use, 1, warmup=0, wait=wait), "s", torch_note(torch))
else:
    model = load()
    ids = some_ids(model)
    vector = 0.01 * torch.randn(model.config.hidden_size, dtype=dtype)
    model.model.layers[layer].register_forward_hook(hook)
    if what in ("forward", "collect"):
        report(batch * length / seconds(forward, 10, wait=wait), "tokens/s", torch_note(torch))
    else:
        report(batch * length / seconds(generate, 3, warmup=1, wait=wait), "tokens/s", torch_note(torch))
