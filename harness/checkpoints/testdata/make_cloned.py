"""
Classes of openai/sparse_autoencoder, amudide/switch_sae and ViT-Prisma, from clones:
python make_cloned.py FOLDER, where FOLDER/{sparse_autoencoder,switch_sae,ViT-Prisma} are the repositories.
"""
import sys
from types import SimpleNamespace

import torch
from golden import D, F, expected, folder, randomise, rows, stub, write_json

CLONES = sys.argv[1]
for part in ("sparse_autoencoder/sparse_autoencoder", "ViT-Prisma/src"):
    sys.path.insert(0, f"{CLONES}/{part}")
stub("line_profiler", "torchvision", "timm", "open_clip", "datasets", "wandb", "plotly", "PIL", "matplotlib", "cv2", "transformers", "fancy_einsum", "torchmetrics", "kaleido", "tqdm", "huggingface_hub")
sys.modules["line_profiler"] = __import__("line_profiler")
sys.modules["line_profiler"].profile = lambda f: f

import model as openai  # noqa: E402

K = 4


def save_openai(name: str, sae, facts: dict, at: str = "8.pt") -> None:
    parent = folder("openai", name)
    (parent / at).parent.mkdir(parents=True, exist_ok=True)
    torch.save(sae.state_dict(), parent / at)
    x = rows()
    codes, info = sae.encode(x)
    expected(parent, x, codes, sae.decode(codes, info), facts, at=at)


def openai_sae(seed: int, **options):
    sae = openai.Autoencoder(F, D, **options)
    randomise(sae, seed)
    return sae


top = openai_sae(41, activation=openai.TopK(K), normalize=True)
save_openai("top_k", top, {"k": K, "hook_name": "blocks.8.hook_resid_post", "model_name": "gpt2-small"},
            at="resid_post_mlp_v5_32k/autoencoders/8.pt")
save_openai("relu", openai_sae(42), {"architecture": "relu"})
save_openai("tied", openai_sae(43, tied=True), {"d_sae": F})
state = top.state_dict()
state["decoder.weight"] = state["decoder.weight"].T.contiguous()
torch.save(state, folder("openai", "wrong_shape") / "8.pt")


def switch(name: str, seed: int, heaviside: bool) -> dict:
    """SwitchAutoEncoder.encode and .forward; its decoder is a Triton kernel, and here the product that it computes."""
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=g) * 0.6
    experts = 4
    state = {"encoder.weight": draw(F, D), "router.weight": draw(experts, D), "decoder": draw(F, D), "b_dec": draw(D), "b_router": draw(D)}
    x = rows()
    z = torch.relu((x - state["b_dec"]) @ state["encoder.weight"].T)
    p = torch.softmax((x - state["b_router"]) @ state["router.weight"].T, dim=-1)
    values, indices = p.topk(1, dim=-1)
    gate = torch.zeros_like(p).scatter_(-1, indices, values)
    gate = (gate > 0).float() if heaviside else gate
    f = z * gate.repeat_interleave(F // experts, dim=-1)
    top = f.topk(K, sorted=False)
    codes = torch.zeros_like(f).scatter_(-1, top.indices, top.values)
    path = folder("switch_sae", name)
    torch.save(state, path / "ae.pt")
    trainer = {"trainer_class": "SwitchTrainer", "dict_class": "SwitchAutoEncoder", "activation_dim": D, "dict_size": F, "k": K,
               "experts": experts, "heaviside": heaviside, "layer": 8, "lm_name": "openai-community/gpt2"}
    write_json(path / "config.json", {"trainer": trainer, "buffer": {}})
    expected(path, x, codes, codes @ state["decoder"] + state["b_dec"], {"k": K, "model_name": "openai-community/gpt2"})
    return {"state": state, "trainer": trainer}


made = switch("switch", 44, False)
switch("heaviside", 45, True)
wrong = folder("switch_sae", "wrong_shape")
torch.save({**made["state"], "decoder": made["state"]["decoder"].T.contiguous()}, wrong / "ae.pt")
write_json(wrong / "config.json", {"trainer": made["trainer"], "buffer": {}})

from vit_prisma.sae.sae import GatedSparseAutoencoder, StandardSparseAutoencoder  # noqa: E402


def prisma(name: str, cls, seed: int, **options):
    cfg = {"architecture": "standard", "activation_fn_str": "relu", "activation_fn_kwargs": {}, "normalize_activations": "layer_norm",
           "d_in": D, "expansion_factor": F // D, "hook_point_layer": 9, "layer_subtype": "hook_resid_post", "hook_point_head_index": None,
           "is_transcoder": False, "model_name": "open-clip:laion/CLIP-ViT-B-32", "initialization_method": "independent",
           "l1_coefficient": 1.0, "lp_norm": 1, "use_ghost_grads": False, "_dtype": "float32", "_device": "cpu", **options}
    sae = cls(SimpleNamespace(**cfg, d_sae=F, dtype=torch.float32, device="cpu"))
    randomise(sae, seed)
    path = folder("vit-prisma", name)
    torch.save(sae.state_dict(), path / "weights.pt")
    write_json(path / "config.json", cfg)
    x = rows()
    codes = sae.encode(x)[1]
    facts = {"hook_name": "vision.blocks.9.hook_resid_post", "d_sae": F}
    expected(path, x, codes, sae.decode(codes), facts)
    return sae, cfg


sae, cfg = prisma("standard", StandardSparseAutoencoder, 46)
prisma("top_k", StandardSparseAutoencoder, 47, activation_fn_str="topk", activation_fn_kwargs={"k": K})
prisma("tanh", StandardSparseAutoencoder, 48, activation_fn_str="tanh-relu", normalize_activations="none")
prisma("gated", GatedSparseAutoencoder, 49, architecture="gated", normalize_activations="constant_norm_rescale")
wrong = folder("vit-prisma", "wrong_shape")
torch.save({**sae.state_dict(), "W_dec": sae.W_dec.data.T.contiguous()}, wrong / "weights.pt")
write_json(wrong / "config.json", cfg)
