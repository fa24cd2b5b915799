"""
Releases that no program here writes (Gemma Scope, Llama Scope): random weights in their layout, read by SAELens's own loaders
of them, with the download taken out. pip install sae-lens==6.54.0.
"""
from unittest.mock import patch

import numpy as np
import torch
from golden import D, F, HERE, expected, folder, rows, write_json
from sae_lens import SAE
from sae_lens.loading import pretrained_sae_loaders as loaders
from safetensors.torch import save_file

GEMMA_CFG = "sae_lens.loading.pretrained_sae_loaders.get_gemma_2_config_from_hf"


def draw(seed: int, d_out: int = D, letter: str = "W") -> dict:
    g = torch.Generator().manual_seed(seed)
    tensor = lambda *shape: torch.randn(*shape, generator=g) * 0.6
    return {f"{letter}_enc": tensor(D, F), f"{letter}_dec": tensor(F, d_out), "b_enc": tensor(F), "b_dec": tensor(d_out),
            "threshold": torch.linspace(0.1, 2, F)}


def loaded(loader, repo: str, sub: str, at, scale: float | None = None, **overrides):
    """What the loader makes of the files below `at`."""
    local = lambda repo_id=None, filename=None, subfolder=None, **_: str(at / subfolder / filename if subfolder else at / filename)
    with patch.object(loaders, "hf_hub_download", local), patch.object(
        loaders, "get_safetensors_tensor_shapes", lambda _, file: shapes(at / file)
    ):
        cfg, state, _ = loader(repo, sub, "cpu", False, {"dtype": "float32", **overrides})
    cfg = loaders.handle_config_defaulting(cfg)
    cls = SAE.get_sae_class_for_architecture(cfg["architecture"])
    sae = cls(SAE.get_sae_config_class_for_architecture(cfg["architecture"]).from_dict(cfg))
    sae.load_state_dict(state)
    if scale is not None:
        sae.fold_activation_norm_scaling_factor(scale)
    return sae


def shapes(file):
    from safetensors import safe_open
    with safe_open(file, "pt") as f:
        return {name: list(f.get_tensor(name).shape) for name in f.keys()}


def save(path, sae, facts: dict, at: str) -> None:
    x = rows()
    codes = sae.encode(x)
    reconstruction = sae(x) if hasattr(sae, "W_skip") else sae.decode(codes)
    expected(path, x, codes, reconstruction, facts, at=at)


def numpy(state: dict) -> dict:
    return {name: value.numpy() for name, value in state.items()}


def gemma1(name: str, at: str, sub: str, seed: int, facts: dict):
    path = folder("gemma-scope", name)
    (path / at).mkdir(parents=True)
    np.savez(path / at / "params.npz", **numpy(draw(seed)))
    sae = loaded(loaders.gemma_2_sae_huggingface_loader, "google/gemma-scope-2b-pt-res", sub, path / at.split("/")[0], d_in=D, d_sae=F)
    save(path, sae, facts, at)


REPO = "gemma-scope-2b-pt-res"
gemma1("first", f"{REPO}/layer_12/width_16k/average_l0_82", "layer_12/width_16k/average_l0_82", 51,
       {"hook_name": "blocks.12.hook_resid_post", "model_name": "gemma-2-2b", "advertisedL0": 82})
gemma1("embedding", f"{REPO}/embedding/width_4k/average_l0_6", "embedding/width_4k/average_l0_6", 52,
       {"hook_name": "hook_embed", "advertisedL0": 6})
wrong = folder("gemma-scope", "wrong_shape")
np.savez(wrong / "params.npz", **{**numpy(draw(51)), "b_enc": np.zeros(D, np.float32)})


def gemma2(name: str, sub: str, seed: int, config: dict, facts: dict, d_out: int = D, skip: bool = False):
    path = folder("gemma-scope", name)
    at = path / "gemma-scope-2-1b-pt" / sub
    at.mkdir(parents=True)
    state = draw(seed, d_out, "w")
    if skip:
        state["affine_skip_connection"] = torch.randn(D, d_out, generator=torch.Generator().manual_seed(seed + 1)) * 0.3
    save_file(state, at / "params.safetensors")
    write_json(at / "config.json", {"architecture": "jump_relu", "model_name": "gemma-v3-1b-pt", **config})
    sae = loaded(loaders.gemma_3_sae_huggingface_loader, "google/gemma-scope-2-1b-pt", sub, path / "gemma-scope-2-1b-pt")
    save(path, sae, facts, str(at.relative_to(path)))


gemma2("second", "resid_post/layer_12_width_16k_l0_small", 53, {"hf_hook_point_in": "model.layers.12.output"},
       {"hook_name": "blocks.12.hook_resid_post", "model_name": "gemma-3-1b-pt"})
gemma2("second_transcoder", "transcoder/layer_12_width_16k_l0_small_affine", 54,
       {"hf_hook_point_in": "a", "hf_hook_point_out": "b", "affine_connection": True},
       {"hook_name_out": "blocks.12.hook_mlp_out", "transcodes": True}, skip=True)

NORM = 3.5
path = folder("llama-scope", "jumprelu")
sub = "Llama3_1-8B-Base-L15R-8x"
(path / sub / "checkpoints").mkdir(parents=True)
state = draw(55)
linear = {"encoder.weight": state["W_enc"].T.contiguous(), "decoder.weight": state["W_dec"].T.contiguous(),
          "encoder.bias": state["b_enc"], "decoder.bias": state["b_dec"]}
save_file(linear, path / sub / "checkpoints/final.safetensors")
hyperparams = {"hook_point_in": "blocks.15.hook_resid_post", "hook_point_out": "blocks.15.hook_resid_post", "d_model": D, "d_sae": F,
               "act_fn": "jumprelu", "jump_relu_threshold": 0.4, "top_k": 50, "norm_activation": "dataset-wise", "use_decoder_bias": True,
               "apply_decoder_bias_to_pre_encoder": False, "dataset_average_activation_norm": {"in": NORM, "out": NORM}}
write_json(path / sub / "hyperparams.json", hyperparams)
sae = loaded(loaders.llama_scope_sae_huggingface_loader, "fnlp/x", sub, path, scale=D**0.5 / NORM)
save(path, sae, {"hook_name": "blocks.15.hook_resid_post"}, sub)

path = folder("llama-scope", "later")
(path / "L15R").mkdir()
save_file({**linear, "log_jumprelu_threshold": torch.linspace(-2, 0.5, F)}, path / "L15R/sae_weights.safetensors")
write_json(path / "L15R/config.json", {**{k: v for k, v in hyperparams.items() if k not in ("d_sae", "jump_relu_threshold")},
                                       "expansion_factor": F // D})
sae = loaded(loaders.llama_scope_r1_distill_sae_huggingface_loader, "fnlp/x", "L15R", path, scale=D**0.5 / NORM)
save(path, sae, {"hook_name": "blocks.15.hook_resid_post"}, "L15R")
wrong = folder("llama-scope", "wrong_shape")
save_file({**linear, "decoder.weight": state["W_dec"], "log_jumprelu_threshold": torch.zeros(F)}, wrong / "sae_weights.safetensors")
write_json(wrong / "config.json", {**hyperparams, "expansion_factor": F // D})
