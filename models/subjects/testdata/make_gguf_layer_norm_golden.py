"""Makes gguf-gpt2.golden.gguf and gguf-gptneox.golden.gguf, tiny random models written as llama.cpp's convert_hf_to_gguf.py does
(names, transposes, order of fused rows), and gguf-layer-norm.golden.json: logits of GPT-2 as transformers reads the file by
gguf_file=, and of GPT-NeoX, whose files transformers does not read, of the model that was written.

Run: python3 make_gguf_layer_norm_golden.py   (made with gguf 0.19, torch 2.13.0+cpu, transformers 5.24.0)
"""

import json
import os

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf import quants
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
# Transformers reads neither feed_forward_length of GPT-2 nor its number of positions: it takes 4 × d and 1,024.
VOCAB, D, HEADS, LAYERS, MLP = 48, 32, 4, 1, 128
IDS = [[1, 5, 9, 13, 17, 21, 25, 40]]


def randomise(model):
    torch.manual_seed(0)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.normal_(0, 0.3)
            if p.dim() == 1 and name.endswith("weight"):
                p.add_(1)


def write(path, arch, keys, tensors):
    writer = gguf.GGUFWriter(path, arch)
    keys(writer)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(["a", "b", "ab"] + [f"w{i}" for i in range(3, VOCAB)])
    # Defined by hand, as no merge makes them.
    writer.add_token_types([1] * 3 + [4] * (VOCAB - 3))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    for name, (values, kind) in tensors.items():
        values = np.ascontiguousarray(values.detach().float().numpy())
        writer.add_tensor(name, quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def common(writer, positions):
    writer.add_context_length(positions)
    writer.add_embedding_length(D)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(MLP)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-4)


def renamed(state, names):
    for old, tensor in state.items():
        for a, b in names:
            old = old.replace(a, b)
        yield old, tensor


def gpt2():
    model = GPT2LMHeadModel(GPT2Config(vocab_size=VOCAB, n_positions=1024, n_embd=D, n_layer=LAYERS, n_head=HEADS, n_inner=MLP,
                                       layer_norm_epsilon=1e-4, bos_token_id=0, eos_token_id=0)).eval()
    randomise(model)
    names = [("transformer.", ""), ("h.", "blk."), ("wte", "token_embd"), ("wpe", "position_embd"), ("ln_f", "output_norm"), ("ln_1", "attn_norm"),
             ("ln_2", "ffn_norm"), ("attn.c_attn", "attn_qkv"), ("attn.c_proj", "attn_output"), ("mlp.c_fc", "ffn_up"), ("mlp.c_proj", "ffn_down")]
    tensors = {}
    for name, tensor in renamed(model.transformer.state_dict(), names):
        conv = tensor.dim() == 2 and name.startswith("blk.")
        tensors[name] = (tensor.T if conv else tensor, Type.Q8_0 if name in ("blk.0.ffn_up.weight", "position_embd.weight") else Type.F32)
    name = "gguf-gpt2.golden.gguf"
    write(os.path.join(HERE, name), "gpt2", lambda writer: common(writer, 1024), tensors)
    return AutoModelForCausalLM.from_pretrained(HERE, gguf_file=name, dtype=torch.float32).eval()


def gptneox():
    model = GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=VOCAB, max_position_embeddings=64, hidden_size=D, num_hidden_layers=LAYERS,
                                             num_attention_heads=HEADS, intermediate_size=MLP, rotary_pct=0.5, layer_norm_eps=1e-4,
                                             use_parallel_residual=True, tie_word_embeddings=False)).eval()
    randomise(model)
    names = [("gpt_neox.", ""), ("layers.", "blk."), ("embed_in", "token_embd"), ("final_layer_norm", "output_norm"), ("lm_head", "output"),
             ("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"), ("attention.query_key_value", "attn_qkv"),
             ("attention.dense", "attn_output"), ("mlp.dense_h_to_4h", "ffn_up"), ("mlp.dense_4h_to_h", "ffn_down")]
    tensors = {}
    for name, tensor in renamed(model.state_dict(), names):
        if "attn_qkv" in name:
            by_head = tensor.reshape(HEADS, 3, D // HEADS, *tensor.shape[1:])
            tensor = torch.cat([by_head[:, i].reshape(D, *tensor.shape[1:]) for i in range(3)])
        tensors[name] = (tensor, Type.F32)

    def keys(writer):
        common(writer, 64)
        writer.add_rope_dimension_count(D // HEADS // 2)
        writer.add_parallel_residual(True)

    write(os.path.join(HERE, "gguf-gptneox.golden.gguf"), "gptneox", keys, tensors)
    return model


golden = {"ids": IDS[0]}
for name, model in (("gpt2", gpt2()), ("gptneox", gptneox())):
    with torch.no_grad():
        golden[name] = [[round(v, 5) for v in row] for row in model(torch.tensor(IDS)).logits[0].tolist()]
with open(os.path.join(HERE, "gguf-layer-norm.golden.json"), "w") as file:
    json.dump(golden, file)
    file.write("\n")
