"""
A language model of GPT-2's size (12 layers, d 768, 12 heads, MLP 3,072, 50,257 tokens: 163 M parameters) and random weights, in the
Llama layout that both sides read, written to a folder. Speed does not depend on the weights.

usage: gpt2_sized.py TOKENIZER_FOLDER FOLDER
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

tokenizer, folder = map(Path, sys.argv[1:3])
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=50257,
    hidden_size=768,
    intermediate_size=3072,
    num_hidden_layers=12,
    num_attention_heads=12,
    num_key_value_heads=12,
    max_position_embeddings=1024,
    tie_word_embeddings=True,
)
LlamaForCausalLM(config).save_pretrained(folder)
shutil.copy(tokenizer / "tokenizer_config.json", folder)
# Both sides refuse a tokenizer that knows fewer ids than the model: the rest are added tokens that no text has.
spelled = json.loads((tokenizer / "tokenizer.json").read_text())
known = max(spelled["model"]["vocab"].values()) + 1
flags = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
spelled["added_tokens"] += [{"id": i, "content": f"<unused {i}>", **flags} for i in range(known, config.vocab_size)]
(folder / "tokenizer.json").write_text(json.dumps(spelled))
