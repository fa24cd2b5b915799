"""Forward passes with activation capture, and batched generation, by transformers: tokens/s.

usage: lm.py forward|generate FOLDER SITE_LAYER BATCH LENGTH
"""

import sys

import torch
from transformers import AutoModelForCausalLM

from common import report, seconds

what, folder, layer, batch, length = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
torch.manual_seed(0)
ids = torch.randint(3, model.config.vocab_size, (batch, length))
captured = []
model.model.layers[layer].register_forward_hook(
    lambda _m, _i, out: captured.append(out[0] if isinstance(out, tuple) else out)
)


@torch.inference_mode()
def forward():
    captured.clear()
    model(ids)


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


if what == "forward":
    report(batch * length / seconds(forward, 10), "tokens/s")
else:
    report(batch * length / seconds(generate, 3, warmup=1), "tokens/s")
