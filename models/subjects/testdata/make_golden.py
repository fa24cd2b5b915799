"""Makes the tiny random subjects beside this file and, with PyTorch and transformers, what they must compute.

Run: python3 make_golden.py [FOLDER …]   (made with torch 2.13.0+cpu and transformers 5.23.0, gpt2, gpt2-untied,
bert and bert-mlm with 5.24.0; all folders when none is named)

Each folder holds a model in Hugging Face layout and golden.safetensors: inputs, every site's activation (named as
saxbench names sites), outputs, and for language models the greedy continuation of left-padded prompts.
"""

import json
import os
import shutil
import sys

import torch
from safetensors.torch import save_file
from tokenizers import ByteLevelBPETokenizer, Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    BertTokenizerFast,
    CLIPConfig,
    CLIPModel,
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2TokenizerFast,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipModel,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)

HERE = os.path.dirname(os.path.abspath(__file__))


def randomise(model, seed):
    """Weights large enough that every layer matters; norms and biases away from 1 and 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if name == "logit_scale":
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            if tensor.ndim == 1:
                base = 1.0 if ("norm" in name or ".ln_" in name) and name.endswith("weight") else 0.0
                tensor.copy_(base + 0.2 * noise)
            else:
                tensor.copy_(noise * tensor[0].numel() ** -0.5 * 1.5)
    return model


def watch(captured, prefix, layers, mlp_norm, final_norm, attention="self_attn", mlp="mlp", out=None, rms=False):
    """Hooks that record each site of a stack, whose layers have these parts; of language models `out`, the attention's last layer, too."""
    first = lambda value: value[0] if isinstance(value, tuple) else value

    def put(name):
        def hook(module, args, output):
            captured[prefix + name] = first(output).detach()
        return hook

    def put_input(name):
        def hook(module, args, kwargs):
            captured[prefix + name] = (args[0] if args else kwargs["hidden_states"]).detach()
        return hook

    def put_bare(name):
        def hook(module, args, output):
            x = args[0]
            captured[prefix + name] = (x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + module.variance_epsilon)).detach()
        return hook

    for i, layer in enumerate(layers):
        block = f"blocks.{i}."
        if out is not None:
            layer.get_submodule(out).register_forward_pre_hook(put_input(block + "attn.hook_z"), with_kwargs=True)
            layer.get_submodule(mlp_norm).register_forward_hook(put(block + "mlp.hook_in"))
        if rms:
            layer.get_submodule(mlp_norm).register_forward_hook(put_bare(block + "ln2.hook_normalized"))
        layer.register_forward_pre_hook(put_input(block + "hook_resid_pre"), with_kwargs=True)
        layer.get_submodule(attention).register_forward_hook(put(block + "hook_attn_out"))
        layer.get_submodule(mlp_norm).register_forward_pre_hook(put_input(block + "hook_resid_mid"), with_kwargs=True)
        layer.get_submodule(mlp).register_forward_hook(put(block + "hook_mlp_out"))
        layer.register_forward_hook(put(block + "hook_resid_post"))
    final_norm.register_forward_hook(put("ln_final.hook_normalized"))


def save_tokenizer(folder, vocab, bos, eos, template=None):
    words = {f"w{i}": i for i in range(vocab)}
    for name, index in (("<unk>", 0), ("<s>", bos), ("</s>", eos)):
        del words[f"w{index}"]
        words[name] = index
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    template = template or ("<s> $A </s>" if "clip" in folder else "<s> $A")
    special = [("<s>", bos), ("</s>", eos)]
    tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=special)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>", unk_token="<unk>"
    )
    fast.save_pretrained(folder)


def fresh(name):
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def golden(folder, tensors):
    plain = {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}
    plain = {name: tensor.float() if tensor.is_floating_point() else tensor.int() for name, tensor in plain.items()}
    save_file(plain, os.path.join(folder, "golden.safetensors"))
    for extra in ("generation_config.json", "special_tokens_map.json"):
        path = os.path.join(folder, extra)
        if os.path.exists(path):
            os.remove(path)


def make_llama(name, seed, dtype, shard, **fields):
    folder = fresh(name)
    config = LlamaConfig(
        hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2,
        vocab_size=50, max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=2,
        tie_word_embeddings=False, **fields,
    )
    model = randomise(LlamaForCausalLM(config), seed).to(dtype)
    model.save_pretrained(folder, max_shard_size=shard)
    save_tokenizer(folder, 50, 1, 2)
    # Read back, so that only the weights are rounded and not the rotary tables.
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    captured = {}
    watch(captured, "", model.model.layers, "post_attention_layernorm", model.model.norm, out="self_attn.o_proj", rms=True)
    golden(folder, language_model_golden(model, captured, seed, first=1, pad=2))


def language_model_golden(model, captured, seed, first, pad):
    """Sites and logits of right-padded rows, and the greedy continuations of the same rows padded on the left."""
    lengths = [7, 4, 1]
    generator = torch.Generator().manual_seed(seed + 1)
    ids = torch.randint(3, 50, (3, 7), generator=generator)
    ids[:, 0] = first
    mask = torch.tensor([[1] * n + [0] * (7 - n) for n in lengths])
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        sites = dict(captured)
        left = torch.stack([torch.cat([torch.full((7 - n,), pad), row[:n]]) for n, row in zip(lengths, ids)])
        left_mask = mask.flip(1)
        # An id that cannot occur: the rows' full greedy continuations are wanted.
        new = model.generate(
            input_ids=left, attention_mask=left_mask, max_new_tokens=12, min_new_tokens=12, do_sample=False,
            eos_token_id=None,
        )[:, 7:]
    return {"input_ids": ids, "mask": mask, "logits": logits, "greedy": new, **sites}


WORDS = "the tall nurse saw the old tree and then the nurse wrote about what she had seen there on that wet night "


def make_gpt2(name, seed, dtype, **fields):
    folder = fresh(name)
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator([WORDS] * 4, vocab_size=280, special_tokens=["<|endoftext|>"])
    bpe.save_model(folder)
    end = bpe.token_to_id("<|endoftext|>")
    config = GPT2Config(
        vocab_size=bpe.get_vocab_size(), n_positions=24, n_embd=24, n_head=4, bos_token_id=end, eos_token_id=end,
        **fields,
    )
    model = randomise(GPT2LMHeadModel(config), seed).to(dtype)
    model.save_pretrained(folder)
    model = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    captured = {}
    watch(captured, "", model.transformer.h, "ln_2", model.transformer.ln_f, attention="attn", out="attn.c_proj")
    tensors = language_model_golden(model, captured, seed, first=end, pad=end)
    # What the file gpt2.ts says of this flag: in float32 it changes nothing but the order of the operations.
    for block in model.transformer.h:
        block.attn.reorder_and_upcast_attn = True
    with torch.no_grad():
        again = model(input_ids=tensors["input_ids"], attention_mask=tensors["mask"], use_cache=False).logits
    assert torch.allclose(again, tensors["logits"], atol=1e-5)
    text = "the nurse wrote: it's a naïve tree!"
    tokenizer = GPT2TokenizerFast(os.path.join(folder, "vocab.json"), os.path.join(folder, "merges.txt"))
    with open(os.path.join(folder, "text.golden.json"), "w") as file:
        json.dump({"text": text, "ids": tokenizer(text)["input_ids"]}, file)
    golden(folder, tensors)


def make_image_encoder(name, seed, dtype, model_class, config, processor, parts, size=12):
    folder = fresh(name)
    randomise(model_class(config), seed).to(dtype).save_pretrained(folder)
    with open(os.path.join(folder, "preprocessor_config.json"), "w") as file:
        json.dump(processor, file)
    model = model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tower = getattr(model, "vit", model)
    captured = {}
    layers = tower.layers if hasattr(tower, "layers") else tower.encoder.layer
    watch(captured, "vision.", layers, final_norm=tower.layernorm, **parts)
    pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(seed + 1))
    with torch.no_grad():
        tower(pixels)
    captured["vision.embed"] = captured["vision.ln_final.hook_normalized"][:, 0]
    golden(folder, {"pixels": pixels.permute(0, 2, 3, 1), **captured})


VIT_PARTS = dict(attention="attention", mlp_norm="layernorm_after")
DINO_PARTS = dict(attention="layer_scale1", mlp_norm="norm2", mlp="layer_scale2")
SMALL_IMAGE = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=2, image_size=12, patch_size=4)


def open_dual_encoder(model_class, folder, seed):
    """The saved model with both towers watched, the generator of its inputs, and the first of them: pixels."""
    model = model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    captured = {}
    vision, text = model.vision_model, model.text_model
    watch(captured, "vision.", vision.encoder.layers, "layer_norm2", vision.post_layernorm)
    watch(captured, "text.", text.encoder.layers, "layer_norm2", text.final_layer_norm)
    generator = torch.Generator().manual_seed(seed + 1)
    return model, captured, generator, torch.randn(2, 3, 12, 12, generator=generator)


def make_siglip(name, seed):
    folder = fresh(name)
    shape = dict(hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2)
    config = SiglipConfig(
        text_config=dict(
            **shape, vocab_size=40, max_position_embeddings=10, projection_size=12, bos_token_id=38, eos_token_id=39,
            pad_token_id=39,
        ),
        vision_config=dict(**shape, image_size=12, patch_size=4),
    )
    model = randomise(SiglipModel(config), seed)
    with torch.no_grad():
        model.logit_scale.fill_(1.2)
        model.logit_bias.fill_(-0.7)
    model.save_pretrained(folder)
    save_tokenizer(folder, 40, 38, 39, template="$A </s>")
    with open(os.path.join(folder, "preprocessor_config.json"), "w") as file:
        json.dump({"image_processor_type": "SiglipImageProcessor", "size": {"height": 12, "width": 12}}, file)
    model, captured, generator, pixels = open_dual_encoder(SiglipModel, folder, seed)
    ids = torch.full((3, 10), 39)
    for row, n in enumerate([9, 4, 1]):
        ids[row, :n] = torch.randint(3, 38, (n,), generator=generator)
    with torch.no_grad():
        output = model(input_ids=ids, pixel_values=pixels)
    outputs = {
        "vision.embed": output.vision_model_output.pooler_output,
        "text.embed": output.text_model_output.pooler_output,
        "logits_per_image": output.logits_per_image,
    }
    golden(folder, {"input_ids": ids, "mask": torch.ones_like(ids), "pixels": pixels.permute(0, 2, 3, 1), **captured, **outputs})


def make_clip(name, seed, dtype, activation, eos):
    folder = fresh(name)
    config = CLIPConfig(
        projection_dim=12,
        vision_config=dict(
            hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2, image_size=12,
            patch_size=4, hidden_act=activation, projection_dim=12,
        ),
        text_config=dict(
            hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, vocab_size=40,
            max_position_embeddings=10, hidden_act=activation, projection_dim=12, bos_token_id=38, eos_token_id=eos,
            pad_token_id=39,
        ),
    )
    model = randomise(CLIPModel(config), seed).to(dtype)
    model.save_pretrained(folder)
    save_tokenizer(folder, 40, 38, 39)
    with open(os.path.join(folder, "preprocessor_config.json"), "w") as file:
        json.dump({"size": {"shortest_edge": 12}, "crop_size": {"height": 12, "width": 12}}, file)
    model, captured, generator, pixels = open_dual_encoder(CLIPModel, folder, seed)
    lengths = [8, 5, 2]
    ids = torch.full((3, 8), 39)
    for row, n in enumerate(lengths):
        ids[row, : n - 1] = torch.randint(3, 38, (n - 1,), generator=generator)
        ids[row, 0] = 38
    mask = torch.tensor([[1] * n + [0] * (8 - n) for n in lengths])
    with torch.no_grad():
        output = model(input_ids=ids, attention_mask=mask, pixel_values=pixels)
        image = model.visual_projection(captured["vision.ln_final.hook_normalized"])
        rows = model.text_projection(captured["text.ln_final.hook_normalized"])
        words = torch.stack([rows[i, n - 1] for i, n in enumerate(lengths)])
    # The model's own embeddings are normalised.
    unit = lambda x: x / x.norm(dim=-1, keepdim=True)
    assert torch.allclose(unit(image), output.image_embeds, atol=1e-6)
    assert torch.allclose(unit(words), output.text_embeds, atol=1e-6)
    embeds = {"vision.embed": image, "text.embed": words, "logits_per_image": output.logits_per_image}
    golden(folder, {"input_ids": ids, "mask": mask, "pixels": pixels.permute(0, 2, 3, 1), **captured, **embeds})


def make_bert(name, seed, dtype, model_class, modules, **fields):
    folder = fresh(name)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *(f"##{c}" for c in letters), *letters]
    with open(os.path.join(folder, "vocab.txt"), "w") as file:
        file.write("\n".join(dict.fromkeys(words)) + "\n")
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
        max_position_embeddings=16, **fields,
    )
    randomise(model_class(config), seed).to(dtype).save_pretrained(folder)
    model = model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    bert = model if model_class is BertModel else model.bert
    if modules:
        os.makedirs(os.path.join(folder, "1_Pooling"))
        kinds = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
        files = {
            "modules.json": [
                {"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + kind}
                for i, (path, kind) in enumerate(kinds)
            ],
            "1_Pooling/config.json": {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True},
            "sentence_bert_config.json": {"max_seq_length": 12, "do_lower_case": False},
        }
        for path, content in files.items():
            with open(os.path.join(folder, path), "w") as file:
                json.dump(content, file)
    captured = {}

    def put(site):
        def hook(module, args, output):
            captured[site] = (output[0] if isinstance(output, tuple) else output).detach()
        return hook

    for i, layer in enumerate(bert.encoder.layer):
        before = bert.encoder.layer[i - 1] if i > 0 else bert.embeddings
        before.register_forward_hook(put(f"blocks.{i}.hook_resid_pre"))
        layer.attention.output.dense.register_forward_hook(put(f"blocks.{i}.hook_attn_out"))
        layer.attention.output.register_forward_hook(put(f"blocks.{i}.hook_resid_mid"))
        layer.output.dense.register_forward_hook(put(f"blocks.{i}.hook_mlp_out"))
        layer.register_forward_hook(put(f"blocks.{i}.hook_resid_post"))
    texts = ["the old Tree saw", "nurse", "thé nurse wrote about what she had seen there on that wet night and then"]
    batch = tokenizer(texts, padding=True, truncation=True, max_length=12, return_tensors="pt")
    ids, mask = batch["input_ids"], batch["attention_mask"]
    with torch.no_grad():
        states = bert(input_ids=ids, attention_mask=mask, token_type_ids=torch.zeros_like(ids)).last_hidden_state
    real = mask.unsqueeze(-1).float()
    mean = (states * real).sum(1) / real.sum(1)
    pooled = {"embed": torch.nn.functional.normalize(mean), "cls": states[:, 0]}
    golden(folder, {"input_ids": ids, "mask": mask, **captured, **pooled})
    with open(os.path.join(folder, "text.golden.json"), "w") as file:
        json.dump({"texts": texts, "ids": ids.tolist()}, file)


FOLDERS = {
    "llama-sharded": lambda name: make_llama(
        name, 10, torch.float32, "20KB", rope_parameters={"rope_type": "default", "rope_theta": 500.0}
    ),
    "llama-bf16": lambda name: make_llama(
        name, 20, torch.bfloat16, "5GB", head_dim=8, attention_bias=True, mlp_bias=True,
        rope_parameters={
            "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 16,
        },
    ),
    "gpt2": lambda name: make_gpt2(name, 50, torch.float32, n_layer=2),
    "gpt2-untied": lambda name: make_gpt2(
        name, 60, torch.float16, n_layer=2, n_inner=40, activation_function="gelu", layer_norm_epsilon=1e-3,
        tie_word_embeddings=False,
    ),
    "bert": lambda name: make_bert(name, 70, torch.float32, BertModel, True),
    "bert-mlm": lambda name: make_bert(
        name, 80, torch.float16, BertForMaskedLM, False, hidden_act="gelu_new", type_vocab_size=1, layer_norm_eps=1e-5,
    ),
    "vit": lambda name: make_image_encoder(
        name, 90, torch.float32, ViTModel, ViTConfig(**SMALL_IMAGE, intermediate_size=20),
        {"image_processor_type": "ViTImageProcessor", "size": {"height": 12, "width": 12}}, VIT_PARTS,
    ),
    "vit-classifier": lambda name: make_image_encoder(
        name, 100, torch.float16, ViTForImageClassification,
        ViTConfig(**SMALL_IMAGE, intermediate_size=20, qkv_bias=False), {"size": 12}, VIT_PARTS,
    ),
    # Images of another size than the positions': 12 / 4 patches a side in the weights, 16 / 4 and 8 / 4 in use.
    "dinov2": lambda name: make_image_encoder(
        name, 110, torch.float32, Dinov2Model, Dinov2Config(**SMALL_IMAGE),
        {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 18}, "crop_size": {"height": 16, "width": 16}},
        DINO_PARTS, size=16,
    ),
    "dinov2-registers": lambda name: make_image_encoder(
        name, 120, torch.float32, Dinov2WithRegistersModel,
        Dinov2WithRegistersConfig(**SMALL_IMAGE, num_register_tokens=3, use_swiglu_ffn=True),
        {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 8}, "crop_size": 8}, DINO_PARTS, size=8,
    ),
    "siglip": lambda name: make_siglip(name, 130),
    "clip-quick-gelu": lambda name: make_clip(name, 30, torch.float32, "quick_gelu", 39),
    "clip-gelu-f16": lambda name: make_clip(name, 40, torch.float16, "gelu", 2),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or FOLDERS:
        FOLDERS[name](name)
