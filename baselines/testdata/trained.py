"""What the methods trained through a subject must compute: PyTorch on the tiny random Llama of models/subjects/testdata.

Run: python3 trained.py   (writes trained.json; made with torch 2.13.0+cpu and transformers 5.24.0)

For each method one step in float64 on all texts at once: loss, gradients, and the parameters after AdamW at the first
rate of a linear schedule; for the vectors also a training of some steps, with the AUROC of the vector on held-out texts
and what adding it does to the loss of held-out responses. Nothing here is of the code that is tested: the losses are
written from the papers' formulas and the authors' public code, with autograd.
"""

import json
import os

import torch
import torch.nn.functional as F
from transformers import AutoTokenizer, LlamaForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "../../models/subjects/testdata/llama-sharded")
LAYER = 0
WORDS = 44
LR = 0.02
STEPS = 25

torch.set_num_threads(1)
tokenizer = AutoTokenizer.from_pretrained(FOLDER)
model = LlamaForCausalLM.from_pretrained(FOLDER, dtype=torch.float64, attn_implementation="eager").eval()
for parameter in model.parameters():
    parameter.requires_grad_(False)
generator = torch.Generator().manual_seed(3)
names = [token for token, id in sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1]) if id > 2]


def draw(low, high, n):
    return [names[int(i)] for i in torch.randint(low, high, (n,), generator=generator)]


def text(positive):
    """A prompt of any words and a response: of the last twelve words where it is positive, else of the others."""
    prompt = draw(0, WORDS, int(torch.randint(3, 7, (1,), generator=generator)))
    n = int(torch.randint(5, 10, (1,), generator=generator))
    response = draw(WORDS - 12, WORDS, n) if positive else draw(0, WORDS - 12, n)
    head = " ".join(prompt) + " "
    return {"text": head + " ".join(response), "responseStart": len(head), "positive": positive}


train = [text(i % 2 == 0) for i in range(12)]
held = [text(i % 2 == 0) for i in range(16)]


def batch(texts):
    encoded = [tokenizer(entry["text"], return_offsets_mapping=True) for entry in texts]
    length = max(len(e["input_ids"]) for e in encoded)
    ids = torch.zeros(len(texts), length, dtype=torch.long)
    mask = torch.zeros(len(texts), length)
    labels = torch.full((len(texts), length), -100)
    keep = torch.zeros(len(texts), length, dtype=torch.float64)
    prompts = []
    for row, (e, entry) in enumerate(zip(encoded, texts)):
        n = len(e["input_ids"])
        ids[row, :n] = torch.tensor(e["input_ids"])
        mask[row, :n] = 1
        keep[row, 1:n] = 1
        prompt = next(i for i, (start, end) in enumerate(e["offset_mapping"]) if end > 0 and start >= entry["responseStart"])
        labels[row, prompt:n] = ids[row, prompt:n]
        prompts.append(prompt)
    return {"ids": ids, "mask": mask, "labels": labels, "keep": keep, "prompts": prompts}


def run(b, change=None, layers=(LAYER,)):
    """Logits with the output of layers changed; `change` is a function of the stream, or one by layer."""
    handles = []
    for layer in layers if change else ():
        own = change[layer] if isinstance(change, dict) else change

        def hook(module, args, output, own=own):
            return (own(output[0]),) + output[1:] if isinstance(output, tuple) else own(output)

        handles.append(model.model.layers[layer].register_forward_hook(hook))
    logits = model(input_ids=b["ids"], attention_mask=b["mask"]).logits
    for handle in handles:
        handle.remove()
    return logits


def token_losses(logits, labels):
    """[rows, length - 1], 0 where nothing is predicted."""
    rows, length, vocab = logits.shape
    each = F.cross_entropy(logits[:, :-1].reshape(-1, vocab), labels[:, 1:].reshape(-1), ignore_index=-100, reduction="none")
    return each.reshape(rows, length - 1)


def lm_loss(logits, labels):
    return token_losses(logits, labels).sum() / (labels[:, 1:] != -100).sum()


def stream(b):
    captured = []
    run(b, lambda x: captured.append(x.detach()) or x)
    return captured[0]


positives = [entry for entry in train if entry["positive"]]
negatives = [entry for entry in train if not entry["positive"]]
all_batch, pos_batch = batch(train), batch(positives)
pair_batch = batch(positives + negatives)


def mean_norm(b):
    norms = stream(b).norm(dim=-1)
    return ((norms * b["keep"]).sum() / b["keep"].sum()).item()


def ssv(w, amount):
    return lambda step: lm_loss(run(pos_batch, lambda x: x + amount * pos_batch["keep"][..., None] * w), pos_batch["labels"])


def reft(w, topk=4, l1=0.5):
    def loss(share):
        latents = []

        def change(x):
            z = torch.relu(x @ w) * all_batch["keep"]
            top = z.topk(min(topk, z.shape[1]), dim=1).values.sum(1)
            latents.append((z.sum(1) - top) / all_batch["keep"].sum(1))
            strength = top / all_batch["keep"].sum(1).clamp(max=topk)
            return x + all_batch["keep"][..., None] * strength[:, None, None] * w

        loss = lm_loss(run(all_batch, change), all_batch["labels"])
        return loss + share * l1 * latents[0].mean()

    return loss


def reps(w, amount):
    half = len(positives)
    b, keep = pair_batch, pair_batch["keep"][..., None]
    lengths = (b["labels"] != -100).sum(1)
    reference = -token_losses(run(b), b["labels"]).sum(1)

    def loss(_):
        added = -token_losses(run(b, lambda x: x + amount * keep * w), b["labels"]).sum(1)
        nulled = -token_losses(
            run(b, lambda x: x - keep * torch.relu(x @ w)[..., None] / w.dot(w) * w), b["labels"]
        ).sum(1)
        up = (reference[half:] - reference[:half]).clamp(min=1)
        down = (reference[:half] - reference[half:]).clamp(min=1)
        plus = up * added[:half] / lengths[:half] - added[half:] / lengths[half:]
        minus = down * nulled[half:] / lengths[half:] - nulled[:half] / lengths[:half]
        return (-F.logsigmoid(plus) - F.logsigmoid(minus)).mean() / 2

    return loss


def step_of(parameters, loss, unit=False, clip=None):
    """Loss, gradients and parameters after one step, all as nested lists."""
    optimizer = torch.optim.AdamW(parameters.values(), lr=LR, weight_decay=0)
    value = loss(0)
    value.backward()
    gradients = {name: p.grad.clone() for name, p in parameters.items()}
    move(parameters, optimizer, unit, clip)
    return {
        "loss": value.item(),
        "gradients": {name: g.flatten().tolist() for name, g in gradients.items()},
        "after": {name: p.detach().flatten().tolist() for name, p in parameters.items()},
    }


def move(parameters, optimizer, unit, clip):
    with torch.no_grad():
        if unit:
            w = parameters["w"]
            w.grad -= w.grad.dot(w) * w
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(list(parameters.values()), clip)
    optimizer.step()
    with torch.no_grad():
        if unit:
            parameters["w"] /= parameters["w"].norm()
    optimizer.zero_grad()


def trained(w, make, unit, clip):
    optimizer = torch.optim.AdamW([w], lr=LR, weight_decay=0)
    loss = make(w)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = LR * (1 - step / STEPS)
        loss(step / STEPS).backward()
        move({"w": w}, optimizer, unit, clip)
    direction = (w / w.norm()).detach()
    b = batch(held)
    scores = (torch.relu(stream(b) @ direction) * b["keep"]).max(1).values
    ours = [s for s, e in zip(scores, held) if e["positive"]]
    others = [s for s, e in zip(scores, held) if not e["positive"]]
    auroc = sum((p > n) + 0.5 * (p == n) for p in ours for n in others) / (len(ours) * len(others))
    shown = batch([e for e in held if e["positive"]])
    amount = mean_norm(shown)
    before = lm_loss(run(shown), shown["labels"])
    after = lm_loss(run(shown, lambda x: x + amount * shown["keep"][..., None] * direction), shown["labels"])
    return {"direction": direction.tolist(), "auroc": float(auroc), "amount": amount, "effect": (after - before).item()}


def start(unit):
    """AxBench's: all coordinates alike."""
    d = model.config.hidden_size
    return torch.full((d,), d**-0.5 if unit else 0.01, dtype=torch.float64).requires_grad_(True)


result = {"layer": LAYER, "lr": LR, "steps": STEPS, "train": train, "held": held, "vectors": {}}
amount, pair_amount = 0.4 * mean_norm(pos_batch), 0.4 * mean_norm(all_batch)
for name, make, unit, clip in [
    ("ssv", lambda w: ssv(w, 1.0), False, None),
    ("ssv-unit", lambda w: ssv(w, amount), True, None),
    ("reft-r1", reft, True, 1.0),
    ("reps", lambda w: reps(w, pair_amount), True, 1.0),
]:
    w = start(unit)
    first = w.detach().clone()
    entry = step_of({"w": w}, make(w), unit, clip)
    w = first.clone().requires_grad_(True)
    result["vectors"][name] = {"start": first.tolist(), **entry, "trained": trained(w, make, unit, clip)}
result["amounts"] = {"ssv-unit": amount, "reps": pair_amount}


# LoReFT: h + R^T (W h + b - R h) at both layers, R with orthonormal rows from the QR decomposition of a free matrix.
rank, d = 3, model.config.hidden_size
free = {}
for layer in (0, 1):
    for key, shape in (("R", (rank, d)), ("W", (rank, d)), ("b", (rank,))):
        scale = 1.0 if key == "R" else 0.2
        free[f"{layer}.{key}"] = (scale * torch.randn(*shape, dtype=torch.float64, generator=generator)).requires_grad_(True)


def orthonormal(matrix):
    q, r = torch.linalg.qr(matrix.T)
    return (q * torch.sign(torch.diagonal(r))).T


def loreft(layer, positions):
    def change(x):
        rotation = orthonormal(free[f"{layer}.R"])
        difference = x @ free[f"{layer}.W"].T + free[f"{layer}.b"] - x @ rotation.T
        return x + positions[..., None] * (difference @ rotation)

    return change


def ends(b, n):
    """The first and the last n positions of the prompt, at most half of it each, the first token left out."""
    places = torch.zeros_like(b["keep"])
    for row, prompt in enumerate(b["prompts"]):
        size = min(n, (prompt - 1) // 2)
        places[row, 1 : 1 + size] = 1
        places[row, prompt - size : prompt] = 1
    return places


result["loreft"] = {}
for name, positions in (("all", pos_batch["keep"]), ("ends", ends(pos_batch, 2))):
    copies = {key: p.detach().clone() for key, p in free.items()}
    loss = lambda _: lm_loss(run(pos_batch, {l: loreft(l, positions) for l in (0, 1)}, (0, 1)), pos_batch["labels"])
    entry = step_of(free, loss)
    result["loreft"][name] = entry
    with torch.no_grad():
        for key, p in free.items():
            p.copy_(copies[key])
            p.grad = None
    result["loreft"]["start"] = {key: p.flatten().tolist() for key, p in copies.items()}
result["loreft"]["rank"] = rank

# LoRA on o_proj of both layers: y + alpha / sqrt(rank) * B (A x), rank-stabilised.
alpha = 5.0
adapters = {}
for layer in (0, 1):
    proj = model.model.layers[layer].self_attn.o_proj
    adapters[f"{layer}.A"] = (0.3 * torch.randn(rank, proj.in_features, dtype=torch.float64, generator=generator)).requires_grad_(True)
    adapters[f"{layer}.B"] = (0.3 * torch.randn(proj.out_features, rank, dtype=torch.float64, generator=generator)).requires_grad_(True)
handles = []
for layer in (0, 1):

    def added(module, args, output, layer=layer):
        return output + alpha / rank**0.5 * (args[0] @ adapters[f"{layer}.A"].T) @ adapters[f"{layer}.B"].T

    handles.append(model.model.layers[layer].self_attn.o_proj.register_forward_hook(added))
first = {key: p.detach().flatten().tolist() for key, p in adapters.items()}
entry = step_of(adapters, lambda _: lm_loss(run(pos_batch), pos_batch["labels"]))
result["lora"] = {"rank": rank, "alpha": alpha, "start": first, **entry}
for handle in handles:
    handle.remove()

# SFT of the linear layers of both blocks: the weights themselves.
linear = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "out": "self_attn.o_proj"}
linear |= {"gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj"}
weights = {
    f"{layer}.{name}": model.model.layers[layer].get_submodule(path).weight.requires_grad_(True)
    for layer in (0, 1)
    for name, path in linear.items()
}
before = {key: p.detach().clone() for key, p in weights.items()}
entry = step_of(weights, lambda _: lm_loss(run(pos_batch), pos_batch["labels"]), clip=1.0)
norm = torch.cat([torch.tensor(g) for g in entry["gradients"].values()]).norm().item()
# Of the larger arrays one layer is kept: the file stays small.
kept = {"0.out", "1.q", "1.down"}
result["sft"] = {
    "loss": entry["loss"],
    "norm": norm,
    "gradients": {key: entry["gradients"][key] for key in kept},
    "changes": {key: (weights[key].detach() - before[key]).flatten().tolist() for key in kept},
}
with torch.no_grad():
    result["sft"]["lossAfter"] = lm_loss(run(pos_batch), pos_batch["labels"]).item()

def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.8g}")
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    return [rounded(entry) for entry in value] if isinstance(value, list) else value


with open(os.path.join(HERE, "trained.json"), "w") as file:
    json.dump(rounded(result), file, sort_keys=True)
    file.write("\n")
for name, entry in result["vectors"].items():
    print(name, round(entry["loss"], 4), {k: v for k, v in entry["trained"].items() if k != "direction"})
for name in ("all", "ends"):
    print("loreft", name, result["loreft"][name]["loss"])
print("lora", result["lora"]["loss"], "sft", result["sft"]["loss"], result["sft"]["lossAfter"], "norm", result["sft"]["norm"])
