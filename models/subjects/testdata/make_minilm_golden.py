"""Writes minilm-l6.golden.safetensors: hidden states and embeddings of the real all-MiniLM-L6-v2, for bert.test.ts.

Run: python3 make_minilm_golden.py MINILM_FOLDER   (made with torch 2.13.0+cpu and transformers 5.24.0)
Every hidden state of the first text, and the embeddings of all: the mean over the mask, scaled to length 1, as
sentence-transformers computes it.
"""

import os
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer

TEXTS = [
    "hello world",
    "The patient was given aspirin for the fever.",
    "Stocks fell sharply on Tuesday after the bank raised its rates; bonds rose.",
    "Ångström naïve café 中文 🙂 x" + "y" * 120,
    "the cat sat on the mat and looked at the moon " * 60,
]

folder = sys.argv[1]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
batch = tokenizer(TEXTS, padding=True, truncation=True, max_length=256, return_tensors="pt")
with torch.no_grad():
    states = model(**batch).last_hidden_state
    first = model(**tokenizer(TEXTS[:1], return_tensors="pt"), output_hidden_states=True).hidden_states
real = batch["attention_mask"].unsqueeze(-1).float()
embeds = torch.nn.functional.normalize((states * real).sum(1) / real.sum(1))
out = {"embed": embeds, "states": torch.cat(first)}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "minilm-l6.golden.safetensors")
save_file({name: tensor.contiguous() for name, tensor in out.items()}, path)
