"""Output scores (Arad et al. 2025) in PyTorch, float64, of four directions of the tiny Llama of models/subjects/testdata/llama-sharded.
Writes output-score.json beside itself: python tasks/steering/testdata/output_score.py"""
import json
import os

import torch
from transformers import AutoModelForCausalLM

torch.manual_seed(7)
here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, "../../../models/subjects/testdata/llama-sharded")
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
ids = [1, 9, 30, 4, 17]
LARGEST = 0.3
effects = torch.randn(4, model.config.hidden_size).float().double()
scores = []
with torch.no_grad():
    for effect in effects:
        named = model.lm_head(model.model.norm(effect[None]))[0].topk(20).indices

        def amplify(_module, _inputs, out):
            x = (out[0] if isinstance(out, tuple) else out).clone()
            x[:, -1] += 10 * LARGEST * effect
            return (x,) + out[1:] if isinstance(out, tuple) else x

        handle = model.model.layers[0].register_forward_hook(amplify)
        p = torch.softmax(model(input_ids=torch.tensor([ids])).logits[0, -1], -1)
        handle.remove()
        order = torch.argsort(p, descending=True).tolist()
        rank = min(order.index(token) for token in named.tolist())
        scores.append((1 - rank / len(p)) * p[named].max().item())
with open(os.path.join(here, "output-score.json"), "w") as file:
    json.dump({"ids": ids, "largest": LARGEST, "effects": effects.tolist(), "scores": scores}, file)
