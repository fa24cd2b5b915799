"""Makes, with PyTorch and transformers, what the tiny models of every family must compute.

Run: python3 make_golden.py [NAME …]   (made with torch 2.13.0+cpu and transformers 5.24.0; all when none is named)

No weights are kept: both sides make them by the rule `weights` below, from the names in the files that transformers writes
(../../testing/families.ts has the same rule). They are whole numbers times powers of two that bfloat16 holds exactly, so one
golden file serves files of float32 and bfloat16. Each folder has

- config.json, as transformers 5 writes it, and config.old.json, the same model as transformers 4 wrote it,
- tensors.json, names and shapes in the weight files,
- golden.safetensors: input ids, lengths, every site's activation (named as saxbench names sites) and the logits at the real
  positions [Σ lengths, width], and the greedy continuation of each row by itself, without a cache.

defaults.json holds every configuration class's own values. real.json has configs of published models as they are there
(without what neither side reads); real.golden.json what transformers 5 makes of them, and their numbers of parameters.
"""

import json
import math
import os
import shutil
import sys
import tempfile
import zlib

import numpy as np
import torch
import transformers as hf
from safetensors import safe_open
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
LENGTHS = [11, 5, 1]
NEW = 8
VOCAB = 50
COMMON = dict(vocab_size=VOCAB, bos_token_id=1, eos_token_id=2, pad_token_id=0)
SIZES = dict(hidden_size=32, intermediate_size=48, num_attention_heads=4)
# `out` is the attention's output layer, `mlp_norm` the norm before the feed-forward layer, `rms` whether it is an RMSNorm.
LLAMA = dict(
    attention="self_attn", out="self_attn.o_proj", mid="post_attention_layernorm", mlp_norm="post_attention_layernorm", rms=True,
    layers="model.layers", final="model.norm",
)
GEMMA = dict(
    attention="self_attn", out="self_attn.o_proj", attention_post="post_attention_layernorm", mid="pre_feedforward_layernorm",
    mlp_norm="pre_feedforward_layernorm", rms=True,
    mlp_post="post_feedforward_layernorm", layers="model.layers", final="model.norm",
)
NEOX = dict(attention="attention", out="attention.dense", mlp_norm="post_attention_layernorm", layers="gpt_neox.layers", final="gpt_neox.final_layer_norm")

# By name: configuration class, its fields, where the sites are, gain that weights of norms are about, and how to write the
# config as transformers 4 did.
FAMILIES = {
    "gpt-neox": dict(
        config=hf.GPTNeoXConfig, sites=NEOX,
        fields=dict(num_hidden_layers=2, max_position_embeddings=64, rope_parameters=dict(rope_theta=100.0, partial_rotary_factor=0.25, rope_type="default"), **SIZES),
        old=dict(rope_parameters=None, rotary_pct=0.25, rotary_emb_base=100, rope_theta=100),
    ),
    "gpt-neox-sequential": dict(
        config=hf.GPTNeoXConfig, sites=dict(NEOX, mid="post_attention_layernorm"),
        fields=dict(
            num_hidden_layers=2, max_position_embeddings=64, use_parallel_residual=False, attention_bias=False,
            hidden_act="gelu_fast", tie_word_embeddings=True,
            rope_parameters=dict(rope_theta=1000.0, partial_rotary_factor=1.0, rope_type="linear", factor=2.0), **SIZES,
        ),
        old=dict(rope_parameters=None, rotary_pct=1.0, rotary_emb_base=1000, rope_scaling=dict(type="linear", factor=2.0)),
    ),
    "qwen2": dict(
        config=hf.Qwen2Config, sites=LLAMA,
        fields=dict(
            num_hidden_layers=3, num_key_value_heads=2, use_sliding_window=True, sliding_window=4, max_window_layers=1,
            max_position_embeddings=64, tie_word_embeddings=True, rope_parameters=dict(rope_theta=1000.0, rope_type="default"), **SIZES,
        ),
        old=dict(rope_parameters=None, layer_types=None, rope_theta=1000.0, use_mrope=False),
    ),
    "qwen3": dict(
        config=hf.Qwen3Config, sites=LLAMA,
        fields=dict(
            num_hidden_layers=2, num_key_value_heads=2, head_dim=16, attention_bias=True, max_position_embeddings=64,
            rope_parameters=dict(rope_theta=1000.0, rope_type="linear", factor=4.0), **SIZES,
        ),
        old=dict(rope_parameters=None, layer_types=None, rope_theta=1000.0, rope_scaling=dict(rope_type="linear", factor=4.0), sliding_window=None, use_sliding_window=False),
    ),
    "mistral": dict(
        config=hf.MistralConfig, sites=LLAMA,
        fields=dict(num_hidden_layers=2, num_key_value_heads=2, sliding_window=4, max_position_embeddings=64, **SIZES),
        old=dict(rope_parameters=None, rope_theta=10000.0, head_dim=None),
    ),
    "gemma2": dict(
        config=hf.Gemma2Config, sites=GEMMA, gain=0,
        fields=dict(
            num_hidden_layers=3, num_key_value_heads=2, head_dim=16, query_pre_attn_scalar=24, sliding_window=4,
            attn_logit_softcapping=2.0, final_logit_softcapping=5.0, max_position_embeddings=64, **SIZES,
        ),
        old=dict(rope_parameters=None, layer_types=None, rope_theta=10000.0, hidden_act="gelu_pytorch_tanh", cache_implementation="hybrid"),
    ),
    "gemma3": dict(
        config=hf.Gemma3TextConfig, sites=GEMMA, gain=0,
        fields=dict(
            num_hidden_layers=3, num_key_value_heads=1, head_dim=16, query_pre_attn_scalar=24, sliding_window=4,
            sliding_window_pattern=2, max_position_embeddings=64, final_logit_softcapping=7.0,
            rope_parameters=dict(
                full_attention=dict(rope_theta=1000.0, rope_type="linear", factor=8.0),
                sliding_attention=dict(rope_theta=100.0, rope_type="default"),
            ), **SIZES,
        ),
        old=dict(
            rope_parameters=None, layer_types=None, rope_theta=1000.0, rope_local_base_freq=100.0, sliding_window_pattern=2,
            rope_scaling=dict(rope_type="linear", factor=8.0), _sliding_window_pattern=None,
        ),
    ),
    "gemma3-images": dict(
        config=hf.Gemma3Config, model=hf.Gemma3ForConditionalGeneration, gain=0,
        sites=dict(GEMMA, layers="model.language_model.layers", final="model.language_model.norm"),
        fields=dict(
            text_config=dict(
                num_hidden_layers=2, num_key_value_heads=2, head_dim=8, query_pre_attn_scalar=8, sliding_window=4,
                sliding_window_pattern=2, max_position_embeddings=64, **SIZES, **COMMON,
            ),
            vision_config=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=28, patch_size=14),
            mm_tokens_per_image=4, image_token_index=49, boi_token_index=48, eoi_token_index=47,
        ),
        old=dict(text_config=dict(rope_parameters=None, layer_types=None, sliding_window_pattern=2, _sliding_window_pattern=None)),
    ),
    "gpt-neo": dict(
        config=hf.GPTNeoConfig, sites=dict(attention="attn", out="attn.attention.out_proj", mid="ln_2", mlp_norm="ln_2", layers="transformer.h", final="transformer.ln_f"),
        fields=dict(
            num_layers=3, num_heads=4, hidden_size=32, attention_types=[[["global", "local"], 1], [["global"], 1]], window_size=4,
            max_position_embeddings=24,
        ),
        old=dict(attention_layers=None),
    ),
    "phi3": dict(
        config=hf.Phi3Config, sites=LLAMA,
        fields=dict(num_hidden_layers=2, num_key_value_heads=2, sliding_window=5, max_position_embeddings=64, **SIZES),
        old=dict(rope_parameters=None, rope_theta=10000.0, rope_scaling=None, attention_bias=False),
    ),
    "phi3-long": dict(
        config=hf.Phi3Config, sites=LLAMA, seed=2,
        fields=dict(
            num_hidden_layers=2, max_position_embeddings=128, original_max_position_embeddings=24, tie_word_embeddings=True,
            rope_parameters=dict(
                rope_theta=10000.0, partial_rotary_factor=0.75, rope_type="longrope", short_factor=[1.0, 1.5, 2.25],
                long_factor=[2.0, 4.0, 8.0], original_max_position_embeddings=24,
            ), **SIZES,
        ),
        old=dict(
            rope_parameters=None, rope_theta=10000.0, partial_rotary_factor=0.75,
            rope_scaling=dict(type="longrope", short_factor=[1.0, 1.5, 2.25], long_factor=[2.0, 4.0, 8.0]),
        ),
    ),
    "olmo2": dict(
        config=hf.Olmo2Config,
        sites=dict(
            attention="self_attn", out="self_attn.o_proj", attention_post="post_attention_layernorm", mid="mlp", mlp_post="post_feedforward_layernorm",
            layers="model.layers", final="model.norm",
        ),
        fields=dict(num_hidden_layers=2, num_key_value_heads=2, max_position_embeddings=64, rope_parameters=dict(rope_theta=500.0, rope_type="default"), **SIZES),
        old=dict(rope_parameters=None, rope_theta=500.0, rope_scaling=None),
    ),
}


def weights(name, shape, gain):
    """Whole numbers of a hash of the tensor's name and the place in it, times a power of two; around `gain` those of norms."""
    count = math.prod(shape)
    h = (zlib.crc32(name.encode()) + np.arange(count, dtype=np.uint64) * 0x9E3779B9) & 0xFFFFFFFF
    h ^= h >> 16
    h = (h * 0x85EBCA6B) & 0xFFFFFFFF
    h ^= h >> 13
    h = (h * 0xC2B2AE35) & 0xFFFFFFFF
    h ^= h >> 16
    m = (h >> 24).astype(np.int64) - 128
    if len(shape) == 1:
        values = gain + (m >> 1) * 2.0**-7 if name.endswith(".weight") else m * 2.0**-9
    else:
        fan_in = count // shape[0]
        # Gemma's norms are about 0 in the file. Its embedding, times √d and tied, would drown what the layers add.
        less = 2 if gain == 0 and name.endswith("embed_tokens.weight") else 0
        values = m * 2.0 ** -(5 + (fan_in.bit_length() >> 1) + less)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def at(module, path):
    for part in path.split("."):
        module = getattr(module, part)
    return module


def watch(model, sites):
    """Hooks that record every site."""
    captured = {}
    first = lambda value: value[0] if isinstance(value, tuple) else value

    def put(name):
        def hook(module, args, output):
            captured[name] = first(output).detach()
        return hook

    def put_input(name):
        def hook(module, args, kwargs):
            captured[name] = (args[0] if args else kwargs["hidden_states"]).detach()
        return hook

    def put_bare(name, norm):
        """The norm's input scaled to a mean square of 1, without its gain."""
        epsilon = getattr(norm, "variance_epsilon", getattr(norm, "eps", None))

        def hook(module, args, output):
            x = args[0]
            captured[name] = (x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + epsilon)).detach()
        return hook

    for i, layer in enumerate(at(model, sites["layers"])):
        block = f"blocks.{i}."
        layer.register_forward_pre_hook(put_input(block + "hook_resid_pre"), with_kwargs=True)
        # What is added to the stream: the norm's output where one follows.
        at(layer, sites.get("attention_post", sites["attention"])).register_forward_hook(put(block + "hook_attn_out"))
        at(layer, sites["out"]).register_forward_pre_hook(put_input(block + "attn.hook_z"), with_kwargs=True)
        if "mlp_norm" in sites:
            norm = at(layer, sites["mlp_norm"])
            norm.register_forward_hook(put(block + "mlp.hook_in"))
            if sites.get("rms"):
                norm.register_forward_hook(put_bare(block + "ln2.hook_normalized", norm))
        if "mid" in sites:
            at(layer, sites["mid"]).register_forward_pre_hook(put_input(block + "hook_resid_mid"), with_kwargs=True)
        at(layer, sites.get("mlp_post", "mlp")).register_forward_hook(put(block + "hook_mlp_out"))
        layer.register_forward_hook(put(block + "hook_resid_post"))
    at(model, sites["final"]).register_forward_hook(put("ln_final.hook_normalized"))
    return captured


def greedy(model, ids):
    """Token by token, each from the whole text so far."""
    rows = []
    for row, length in zip(ids, LENGTHS):
        text = row[:length].tolist()
        for _ in range(NEW):
            logits = model(input_ids=torch.tensor([text]), use_cache=False).logits[0, -1]
            best = logits.topk(2)
            assert best.values[0] - best.values[1] > 2e-3, f"a close call: {best.values.tolist()}"
            text.append(int(best.indices[0]))
        rows.append(text[length:])
    return torch.tensor(rows, dtype=torch.int32)


def overlaid(config, changes):
    """`config` with fields changed, None: left out (null where it means something else than nothing)."""
    result = {key: value for key, value in config.items() if key != "transformers_version"}
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = overlaid(result[key], value)
        elif value is None and key not in ("rope_scaling", "sliding_window", "head_dim"):
            result.pop(key, None)
        else:
            result[key] = value
    return result


def make(name, family):
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    fields = family["fields"] if "text_config" in family["fields"] else dict(family["fields"], **COMMON)
    config = family["config"](**fields)
    kind = family.get("model", hf.AutoModelForCausalLM)
    model = kind.from_config(config) if kind is hf.AutoModelForCausalLM else kind(config)
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch)
        shutil.copy(os.path.join(scratch, "config.json"), folder)
        path = os.path.join(scratch, "model.safetensors")
        with safe_open(path, "pt") as file:
            shapes = {key: list(file.get_slice(key).get_shape()) for key in sorted(file.keys())}
        save_file({key: weights(key, shape, family.get("gain", 1)) for key, shape in shapes.items()}, path, {"format": "pt"})
        model = kind.from_pretrained(scratch, dtype=torch.float32, attn_implementation="eager").eval()
    with open(os.path.join(folder, "tensors.json"), "w") as file:
        file.write("{\n" + ",\n".join(f'  "{key}": {json.dumps(shape)}' for key, shape in shapes.items()) + "\n}\n")

    written = json.load(open(os.path.join(folder, "config.json")))
    old = overlaid(written, family["old"])
    again = family["config"].from_dict(json.loads(json.dumps(old)))
    text = lambda config: config.get_text_config()
    for field in ("rope_parameters", "layer_types", "attention_layers", "sliding_window", "head_dim"):
        # transformers 5 itself reads the old spelling as the same model.
        found, expected = getattr(text(again), field, None), getattr(text(config), field, None)
        if field == "rope_parameters" and found is not None:
            strip = lambda rope: {k: strip(v) if isinstance(v, dict) else v for k, v in rope.items() if k != "type"}
            found, expected = strip(found), strip(expected)
        assert found == expected, (name, field, found, expected)
    with open(os.path.join(folder, "config.old.json"), "w") as file:
        json.dump(dict(old, transformers_version="4.57.0"), file, indent=2, sort_keys=True)

    generator = torch.Generator().manual_seed(family.get("seed", 1))
    ids = torch.randint(3, 46, (len(LENGTHS), max(LENGTHS)), generator=generator)
    ids[:, 0] = 1
    mask = torch.tensor([[1] * n + [0] * (max(LENGTHS) - n) for n in LENGTHS])
    captured = watch(model, family["sites"])
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        sites = {key: value[mask.bool()] for key, value in captured.items()}
        new = greedy(model, ids)
    tensors = {"input_ids": ids.int(), "lengths": torch.tensor(LENGTHS, dtype=torch.int32), "greedy": new, "logits": logits[mask.bool()], **sites}
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, os.path.join(folder, "golden.safetensors"))
    size = sum(os.path.getsize(os.path.join(folder, file)) for file in os.listdir(folder))
    print(name, size, "largest", float(max(value.abs().max() for value in sites.values())), new.tolist())


def defaults():
    classes = {family["config"] for family in FAMILIES.values()} - {hf.Gemma3Config}
    values = {each.model_type: each().to_dict() for each in sorted(classes, key=lambda each: each.model_type)}
    with open(os.path.join(HERE, "defaults.json"), "w") as file:
        json.dump(values, file, sort_keys=True, separators=(",", ":"))
        file.write("\n")


def real():
    golden = {}
    for name, fields in json.load(open(os.path.join(HERE, "real.json"))).items():
        config = hf.CONFIG_MAPPING[fields["model_type"]].from_dict(dict(fields))
        with torch.device("meta"):
            images = fields["model_type"] == "gemma3"
            model = hf.Gemma3ForConditionalGeneration(config).model.language_model if images else hf.AutoModelForCausalLM.from_config(config)
        with tempfile.TemporaryDirectory() as scratch:
            config.save_pretrained(scratch)
            written = json.load(open(os.path.join(scratch, "config.json")))
        golden[name] = {"config": written, "parameters": model.num_parameters()}
    with open(os.path.join(HERE, "real.golden.json"), "w") as file:
        file.write("{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in golden.items()) + "\n}\n")


for name in sys.argv[1:] or FAMILIES:
    make(name, FAMILIES[name])
defaults()
real()
