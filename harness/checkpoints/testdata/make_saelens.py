"""SAELens's classes beyond those of saelens.test.ts, saved by SAELens. pip install sae-lens==6.54.0."""
import torch
from golden import D, F, expected, folder, randomise, rows
from sae_lens import (
    SAE, BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig, JumpReLUSAE, JumpReLUSAEConfig, JumpReLUSkipTranscoder,
    JumpReLUSkipTranscoderConfig, JumpReLUTranscoder, JumpReLUTranscoderConfig, MatryoshkaBatchTopKTrainingSAE,
    MatryoshkaBatchTopKTrainingSAEConfig, StandardSAE, StandardSAEConfig, TopKSAE, TopKSAEConfig,
)

META = {"model_name": "gpt2-small", "hook_name": "blocks.8.hook_resid_pre"}
OUT = {**META, "hook_name": "blocks.8.ln2.hook_normalized", "hook_name_out": "blocks.8.hook_mlp_out"}


def filled(cls, cfg, seed: int, threshold: bool = False):
    for name, value in (OUT if hasattr(cfg, "d_out") else META).items():
        setattr(cfg.metadata, name, value)
    sae = cls(cfg)
    randomise(sae, seed)
    if threshold:
        with torch.no_grad():
            sae.threshold.copy_(torch.linspace(0.1, 2, F))
    return sae


def save(name: str, sae, facts: dict, inference: bool = False) -> None:
    path = folder("saelens", name)
    sae.save_model(path)
    reference = sae
    if inference:
        other = folder("saelens", f"{name}_inference")
        sae.save_inference_model(other)
        reference = SAE.load_from_disk(other)
        for file in other.iterdir():
            file.unlink()
        other.rmdir()
    x = rows()
    codes = reference.encode(x)
    codes = codes.to_dense() if codes.is_sparse else codes
    # Encoding keeps the scale of rows; decoding takes it back and forgets it.
    reference.encode(x)
    reconstruction = reference(x) if hasattr(sae, "W_skip") else reference.decode(codes)
    expected(path, x, codes, reconstruction, facts)


site = {k: v for k, v in META.items()}
save("layer_norm", filled(StandardSAE, StandardSAEConfig(d_in=D, d_sae=F, normalize_activations="layer_norm"), 21), site)
top = TopKSAEConfig(d_in=D, d_sae=F, k=5, normalize_activations="constant_norm_rescale", rescale_acts_by_decoder_norm=True)
save("constant_norm", filled(TopKSAE, top, 22), {**site, "k": 5})
jump = JumpReLUSAEConfig(d_in=D, d_sae=F, normalize_activations="layer_norm", apply_b_dec_to_input=False)
save("jumprelu_layer_norm", filled(JumpReLUSAE, jump, 23, True), site)
out = {"d_in": D, "d_sae": F, "d_out": 6, "apply_b_dec_to_input": False}
save("jumprelu_transcoder", filled(JumpReLUTranscoder, JumpReLUTranscoderConfig(**out), 24, True), OUT)
save("jumprelu_skip", filled(JumpReLUSkipTranscoder, JumpReLUSkipTranscoderConfig(**out), 25, True), OUT)
# As in the midst of training: finished ones are written as jumprelu.
for name, cls, cfg in [
    ("batchtopk", BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig(d_in=D, d_sae=F, k=4.5)),
    ("matryoshka", MatryoshkaBatchTopKTrainingSAE,
     MatryoshkaBatchTopKTrainingSAEConfig(d_in=D, d_sae=F, k=5, matryoshka_widths=[6, 12])),
]:
    sae = filled(cls, cfg, 26)
    sae.topk_threshold.fill_(1.25)
    save(name, sae, {**site, "k": cfg.k}, inference=True)

from safetensors.torch import load_file, save_file  # noqa: E402
import shutil  # noqa: E402

wrong = folder("saelens", "wrong_shape")
shutil.copy(folder("saelens", "x").with_name("layer_norm") / "cfg.json", wrong)
folder("saelens", "x").rmdir()
state = load_file(wrong.with_name("layer_norm") / "sae_weights.safetensors")
state["W_dec"] = state["W_dec"].T.contiguous()
save_file(state, wrong / "sae_weights.safetensors")
