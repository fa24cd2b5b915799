"""Plain tensors of no program, by the formulas of their architectures in PyTorch. pip install torch safetensors numpy."""
import numpy as np
import torch
from golden import D, F, expected, folder, rows
from safetensors.torch import save_file

K = 4


def draw(seed: int) -> dict:
    g = torch.Generator().manual_seed(seed)
    tensor = lambda *shape: torch.randn(*shape, generator=g) * 0.6
    return {"enc": tensor(D, F), "dec": tensor(D, F), "bias": tensor(F), "centre": tensor(D), "steps": torch.zeros(1)}


def top(pre):
    best = torch.relu(pre).topk(K, dim=-1)
    return torch.zeros_like(pre).scatter_(-1, best.indices, best.values)


x = rows()
w = draw(61)
given = {"W_enc": "enc", "W_dec": "dec.T", "b_enc": "bias", "b_dec": "centre", "architecture": "topk", "k": K,
         "apply_b_dec_to_input": False, "ignore": "steps"}
path = folder("plain", "top_k")
np.savez(path / "sae.npz", **{k: v.numpy() for k, v in w.items()})
codes = top(x @ w["enc"] + w["bias"])
expected(path, x, codes, codes @ w["dec"].T + w["centre"], {"k": K}, given=given)

w = draw(62)
path = folder("plain", "jumprelu")
named = {"W_enc": w["enc"], "W_dec": w["dec"].T.contiguous(), "b_enc": w["bias"], "b_dec": w["centre"], "threshold": torch.tensor(0.8)}
torch.save(named, path / "sae.pt")
pre = (x - w["centre"]) @ w["enc"] + w["bias"]
codes = torch.relu(pre) * (pre > 0.8)
expected(path, x, codes, codes @ named["W_dec"] + w["centre"], {"d_sae": F},
         given={"architecture": "jumprelu", "apply_b_dec_to_input": True})

# KronSAE: √(u·v) where both are above 0, TopK over all; the paper has no code.
m, n = 2, 4
heads = F // (m * n)
g = torch.Generator().manual_seed(63)
tensor = lambda *shape: torch.randn(*shape, generator=g) * 0.6
base, extension, dec = tensor(D, heads * m), tensor(D, heads * n), tensor(F, D)
u, v = (x @ base).relu().reshape(-1, heads, m, 1), (x @ extension).relu().reshape(-1, heads, 1, n)
codes = top((u * v).sqrt().reshape(-1, F))
path = folder("plain", "kron")
save_file({"P": base, "Q": extension, "W_dec": dec}, path / "kron.safetensors")
expected(path, x, codes, codes @ dec, {"k": K},
         given={"architecture": "kron", "k": K, "m": m, "n": n, "W_base": "P", "W_extension": "Q", "b_dec": "none"})

wrong = folder("plain", "wrong_shape")
np.savez(wrong / "sae.npz", **{**{k: v.numpy() for k, v in draw(61).items()}, "bias": np.zeros(D, np.float32)})
