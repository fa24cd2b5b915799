"""Forward passes with activation capture, and batched generation, by transformers: tokens/s.

usage: lm.py forward|collect|generate PLACE SITE_LAYER BATCH LENGTH [float32|bf16]

PLACE is a folder in Hugging Face layout, a GGUF file or a folder that holds one. `collect` is `forward`: transformers runs
the whole model.
"""

import os
import sys

import torch
from transformers import AutoModelForCausalLM

from common import report, seconds

what, folder, layer, batch, length = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
dtype = torch.bfloat16 if sys.argv[6:] == ["bf16"] else torch.float32
if folder.endswith(".gguf"):
    folder, file = os.path.split(folder)
else:
    file = next((name for name in sorted(os.listdir(folder)) if name.endswith(".gguf")), None)
source = {} if file is None else {"gguf_file": file}
model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **source).eval()
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


if what != "generate":
    report(batch * length / seconds(forward, 10), "tokens/s")
else:
    report(batch * length / seconds(generate, 3, warmup=1), "tokens/s")
