"""Makes gguf-blocks.golden.gguf, a tensor of every type that is dequantised, and gguf-blocks.golden.safetensors, the
reference dequantisation of each by the package gguf; and gguf-llama.golden.gguf, a tiny Llama with a SentencePiece
vocabulary, beside gguf-llama.golden.json, the ids and logits that transformers gets of it.

Run: python3 make_gguf_golden.py   (made with gguf 0.19, numpy, torch 2.13.0+cpu, transformers 5.24.0, tokenizers)
"""

import json
import os

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf import quants
from safetensors.numpy import save_file
from tokenizers import Tokenizer, normalizers
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPE = (3, 512)


def half(rng, n, scale):
    return (rng.standard_normal(n) * scale).astype(np.float16).view(np.uint8).reshape(n, 2)


def k_blocks(rng, kind):
    """Random bytes of valid blocks; the package quantises no K types."""
    _, size = gguf.GGML_QUANT_SIZES[kind]
    n = SHAPE[0] * SHAPE[1] // 256
    blocks = rng.integers(0, 256, (n, size), dtype=np.uint8)
    if kind == Type.Q6_K:
        blocks[:, -2:] = half(rng, n, 0.01)
    else:
        blocks[:, :2], blocks[:, 2:4] = half(rng, n, 0.02), half(rng, n, 0.02)
    return blocks.reshape(SHAPE[0], -1)


def blocks():
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(os.path.join(HERE, "gguf-blocks.golden.gguf"), "llama")
    writer.add_array("test.numbers", [1, 2, 3])
    writer.add_string("test.text", "ß 𝄞")
    expected = {}
    for kind in (Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1):
        values = rng.standard_normal(SHAPE).astype(np.float32)
        raw = quants.quantize(values, kind)
        writer.add_tensor(kind.name, raw, raw_dtype=kind)
        expected[kind.name] = quants.dequantize(raw, kind)
    for kind in (Type.Q4_K, Type.Q5_K, Type.Q6_K):
        raw = k_blocks(rng, kind)
        writer.add_tensor(kind.name, raw, raw_dtype=kind)
        expected[kind.name] = quants.dequantize(raw, kind)
    raw = k_blocks(rng, Type.Q3_K)
    writer.add_tensor("Q3_K", raw, raw_dtype=Type.Q3_K)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file({name: np.ascontiguousarray(v.astype(np.float32)) for name, v in expected.items()},
              os.path.join(HERE, "gguf-blocks.golden.safetensors"))


WORDS = ["▁", "a", "b", "c", "d", "e", "h", "l", "o", "r", "t", "w", "1", "2", ".", "é",
         "▁▁", "ll", "he", "▁he", "lo", "▁hello", "llo", "or", "▁w", "wor", "▁wor", "ld", "▁world", "▁a", "ab", "bc", "▁the",
         "th", "▁t", "12", "cd", "abc"]
TEXTS = ["hello world", "the world. hello 12 é", "abcd abc", "a  b   c", "日本", "hello<s>world", "", "tthe\nold", "llllo", "  hello"]
D, HEADS, KV, MLP, LAYERS = 32, 4, 2, 48, 2


def tiny_llama():
    rng = np.random.default_rng(1)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + WORDS
    kinds = [2, 3, 3] + [6] * 256 + [1] * len(WORDS)
    while len(tokens) % 32:
        tokens.append(f"[PAD{len(tokens)}]")
        kinds.append(5)
    scores = [0.0] * 259 + [-float(i) for i in range(len(tokens) - 259)]
    path = os.path.join(HERE, "gguf-llama.golden.gguf")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(D)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(MLP)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(500.0)
    writer.add_rope_dimension_count(D // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)

    def add(name, *shape, kind=Type.F32):
        values = rng.standard_normal(shape).astype(np.float32)
        values = 1 + 0.2 * values if len(shape) == 1 else values * 1.5 * shape[-1] ** -0.5
        writer.add_tensor(name, quants.quantize(values.astype(np.float32), kind), raw_dtype=kind)

    add("token_embd.weight", len(tokens), D, kind=Type.Q8_0)
    for i in range(LAYERS):
        add(f"blk.{i}.attn_norm.weight", D)
        add(f"blk.{i}.attn_q.weight", D, D, kind=Type.Q5_0)
        add(f"blk.{i}.attn_k.weight", D * KV // HEADS, D, kind=Type.Q4_1)
        add(f"blk.{i}.attn_v.weight", D * KV // HEADS, D, kind=Type.F16)
        add(f"blk.{i}.attn_output.weight", D, D, kind=Type.BF16)
        add(f"blk.{i}.ffn_norm.weight", D)
        add(f"blk.{i}.ffn_gate.weight", MLP, D, kind=Type.Q4_0)
        add(f"blk.{i}.ffn_up.weight", MLP, D, kind=Type.Q5_1)
        add(f"blk.{i}.ffn_down.weight", D, MLP)
    add("output_norm.weight", D)
    add("output.weight", len(tokens), D)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    name = os.path.basename(path)
    tokenizer = AutoTokenizer.from_pretrained(HERE, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(HERE, gguf_file=name, dtype=torch.float32).eval()
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    # As in Llama 2's own tokenizer.json and in llama.cpp: a space before every section, also one that begins with spaces.
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.pre_tokenizer = None
    original = [backend.encode(text).ids for text in TEXTS]
    batch = torch.tensor([ids[0] + [5] * (12 - len(ids[0]))])
    with torch.no_grad():
        logits = model(batch).logits[0]
    # Some loaders leave the table of tokens and the head tied: the golden values are of the file's own head.
    with open(os.path.join(HERE, "gguf-llama.golden.json"), "w") as file:
        json.dump({"texts": TEXTS, "ids": ids, "original": original, "batch": batch[0].tolist(), "tied": model.config.tie_word_embeddings,
                   "logits": [[round(v, 5) for v in row[::7].tolist()] for row in logits]}, file)
        file.write("\n")


blocks()
tiny_llama()
