"""dictionary_learning's own classes, saved as its training does. pip install dictionary-learning==0.1.0 torch."""
import torch
from dictionary_learning import dictionary as dl
from dictionary_learning.trainers.batch_top_k import BatchTopKSAE
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKSAE
from dictionary_learning.trainers.top_k import AutoEncoderTopK
from golden import D, F, expected, folder, randomise, rows, write_json

ORIGIN = {"layer": 8, "lm_name": "EleutherAI/pythia-70m-deduped", "submodule_name": "resid_post_layer_8"}
FACTS = {"hook_name": "blocks.8.hook_resid_post", "model_name": "EleutherAI/pythia-70m-deduped"}
K = 5


def trainer(cls: str, dict_class: str, **more) -> dict:
    sizes = {"activation_dim": D, "dict_size": F}
    return {"trainer": {"trainer_class": cls, "dict_class": dict_class, "lr": 1e-3, "seed": 0, **sizes, **ORIGIN, **more},
            "buffer": {"d_submodule": D, "io": "out", "n_ctxs": 8, "ctx_len": 128}}


def save(name: str, made, load, config: dict | None, facts: dict = FACTS, **more) -> None:
    path = folder("dictionary_learning", name)
    torch.save(made.state_dict(), path / "ae.pt")
    if config is not None:
        write_json(path / "config.json", config)
    loaded = load(str(path / "ae.pt"))
    x = rows()
    codes = loaded.encode(x)
    expected(path, x, codes, loaded.decode(codes), {"architecture": type(made).__name__, **facts}, **more)


def made(cls, *sizes, seed: int, threshold=None):
    sae = cls(*sizes)
    randomise(sae, seed)
    if threshold is not None:
        with torch.no_grad():
            sae.threshold.copy_(torch.as_tensor(threshold, dtype=torch.float32))
    return sae


standard = made(dl.AutoEncoder, D, F, seed=1)
# PAnnealTrainer writes the same class.
save("april_update", made(dl.AutoEncoder, D, F, seed=3), dl.AutoEncoder.from_pretrained,
     trainer("StandardTrainerAprilUpdate", "AutoEncoder"))
save("new", made(dl.AutoEncoderNew, D, F, seed=4), dl.AutoEncoderNew.from_pretrained, trainer("StandardTrainerNew", "AutoEncoderNew"))
# As of 2023: no class is named, and nothing says where it belongs.
save("old", made(dl.AutoEncoder, D, F, seed=5), dl.AutoEncoder.from_pretrained, {"ctx_len": 128, "dictionary_size": F}, {})
# GatedSAETrainer writes the same class.
save("gated_anneal", made(dl.GatedAutoEncoder, D, F, seed=8), dl.GatedAutoEncoder.from_pretrained,
     trainer("GatedAnnealTrainer", "GatedAutoEncoder"))
save("jumprelu", made(dl.JumpReluAutoEncoder, D, F, seed=9, threshold=torch.linspace(0.1, 2, F)),
     dl.JumpReluAutoEncoder.from_pretrained, trainer("JumpReluTrainer", "JumpReluAutoEncoder", target_l0=20.0))
top = {"facts": {**FACTS, "k": K, "advertisedL0": K}}
save("top_k", made(AutoEncoderTopK, D, F, K, seed=10, threshold=0.5), AutoEncoderTopK.from_pretrained,
     trainer("TopKTrainer", "AutoEncoderTopK", k=K), **top)
save("batch_top_k", made(BatchTopKSAE, D, F, K, seed=11, threshold=1.25), BatchTopKSAE.from_pretrained,
     trainer("BatchTopKTrainer", "BatchTopKSAE", k=K), **top)
# Training that ended before the threshold began to move leaves -1.
save("no_threshold", made(BatchTopKSAE, D, F, K, seed=12), BatchTopKSAE.from_pretrained,
     trainer("BatchTopKTrainer", "BatchTopKSAE", k=K), **top)
groups = [4, 8, 12]
save("matryoshka", made(MatryoshkaBatchTopKSAE, D, F, K, groups, seed=13, threshold=1.0), MatryoshkaBatchTopKSAE.from_pretrained,
     trainer("MatryoshkaBatchTopKTrainer", "MatryoshkaBatchTopKSAE", k=K, group_sizes=groups), **top)

wrong = folder("dictionary_learning", "wrong_shape")
state = standard.state_dict()
state["decoder.weight"] = state["decoder.weight"].T.contiguous()
torch.save(state, wrong / "ae.pt")
write_json(wrong / "config.json", trainer("StandardTrainer", "AutoEncoder"))
