"""sparsify's and Overcomplete's own classes. pip install eai-sparsify==1.3.3 overcomplete==0.3.0 torch."""
import torch
from golden import D, F, expected, folder, randomise, rows, stub

stub("PIL", "torchvision", "timm", "matplotlib", "cv2", "skimage")

from overcomplete.sae import SAE, JumpSAE, TopKSAE  # noqa: E402
from sparsify import SparseCoder, SparseCoderConfig  # noqa: E402

K = 4


def dense(acts, indices):
    return torch.zeros(acts.shape[0], F).scatter_(-1, indices, acts)


def sparse_coder(name: str, hookpoint: str, seed: int, facts: dict, **options) -> SparseCoder:
    parent = folder("sparsify", name)
    path = parent / hookpoint
    coder = SparseCoder(D, SparseCoderConfig(num_latents=F, k=K, **options))
    randomise(coder, seed)
    coder.save_to_disk(path)
    loaded = SparseCoder.load_from_disk(path)
    x = rows()
    acts, indices, _ = loaded.encode(x)
    out = loaded.decode(acts, indices)
    out = out if loaded.W_skip is None else out + x @ loaded.W_skip.mT
    expected(parent, x, dense(acts, indices), out, {**facts, "k": K, "advertisedL0": K}, at=hookpoint)
    return coder


mlp = sparse_coder("mlp", "layers.10.mlp", 31, {"hook_name": "blocks.10.hook_mlp_out"})
sparse_coder("residual", "layers.3", 32, {"hook_name": "blocks.3.hook_resid_post"}, normalize_decoder=False)
sparse_coder("groupmax", "h.2.attn", 33, {"hook_name": "blocks.2.hook_attn_out"}, activation="groupmax")
sparse_coder("skip_transcoder", "gpt_neox.layers.5.mlp", 34,
             {"hook_name_out": "blocks.5.hook_mlp_out", "transcodes": True}, transcode=True, skip_connection=True)
wrong = folder("sparsify", "wrong_shape")
mlp.W_dec = torch.nn.Parameter(mlp.W_dec.data.T.contiguous())
mlp.save_to_disk(wrong)


def overcomplete(name: str, sae, seed: int, given: dict, facts: dict) -> None:
    path = folder("overcomplete", name)
    randomise(sae, seed)
    torch.save(sae.state_dict(), path / "sae.pt")
    # Going to evaluation brings the dictionary's rows to unit length.
    sae.eval()
    x = rows()
    codes = sae.encode(x)[1]
    expected(path, x, codes, sae.decode(codes), facts, given=given)


overcomplete("top_k", TopKSAE(D, F, top_k=K), 35, {"architecture": "topk", "k": K}, {"k": K})
overcomplete("jump", JumpSAE(D, F, dictionary_params={"use_multiplier": True}), 36, {}, {"d_sae": F})
overcomplete("tied", SAE(D, F).tied(bias=True), 37, {"architecture": "standard"}, {"d_in": D})
overcomplete("untied", SAE(D, F).untied(), 38, {"architecture": "standard"}, {"d_in": D})
state = TopKSAE(D, F, top_k=K).state_dict()
state["encoder.final_block.0.weight"] = state["encoder.final_block.0.weight"].T.contiguous()
torch.save(state, folder("overcomplete", "wrong_shape") / "sae.pt")
