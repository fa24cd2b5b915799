"""
A language model of GPT-2's size (12 layers, d 768, 12 heads, MLP 3,072, 50,257 tokens: 163 M parameters) and random weights, in the
Llama layout that both sides read, written to a folder. Speed does not depend on the weights.

usage: gpt2_sized.py TOKENIZER_FOLDER FOLDER
"""

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
for name in ("tokenizer.json", "tokenizer_config.json"):
    shutil.copy(tokenizer / name, folder / name)
