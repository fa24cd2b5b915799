"""Writes the activations of any Hugging Face model as a folder that `saxbench run --activations` reads.

    pip install torch transformers numpy
    python starter.py --model gpt2 --site blocks.6.hook_resid_post --texts texts.jsonl --out dump
    npx saxbench validate dump
    npx saxbench run --activations dump

Texts: .jsonl or .json of texts or of {"text": …, "label": …, "split": "train" or "test"} (label and split are optional),
.csv with those columns, or .txt with one text a line; UTF-8.

Sites are named as in saxbench. L is the number of a block:
    blocks.L.hook_resid_pre    what goes into the block
    blocks.L.hook_resid_post   what comes out of it
or any module's output: --module NAME (as model.named_modules() names it) with a --site of your own choice.

What is written, a row for each token of each text:
    rows-00000.npy …  activations, float32 [rows, width]
    bounds.npy        first row of each text, then the number of rows
    token_ids.npy, positions.npy, offsets.npy   of each row: its token, its place in the text, its characters [from, to)
                      in UTF-16 code units, as JavaScript counts (a character beyond U+FFFF, such as an emoji, is two)
    keep.npy          1 where the row counts. Special tokens do not; --first N and --max-norm M leave out attention sinks
                      (a run measures those itself where neither is given: saxbench run --positions)
    texts.json, labels.json, split.json, activations.json
"""

import argparse
import csv
import io
import json
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

# Texts over which the median norm of --max-norm is taken, and rows of one file.
SAMPLE_TEXTS = 64
FILE_ROWS = 65536


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder, or a model of the hub")
    parser.add_argument("--site", required=True, help="blocks.L.hook_resid_post, blocks.L.hook_resid_pre, or a name for --module")
    parser.add_argument("--module", help="hook the output of this module instead")
    parser.add_argument("--texts", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--max-length", type=int, default=128, help="tokens a text is cut to")
    parser.add_argument("--batch", type=int, default=8, help="texts of one forward pass")
    parser.add_argument("--dtype", default="float32", help="of the model's weights")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--first", type=int, default=0, help="leave out the first N positions of every text")
    parser.add_argument("--max-norm", type=float, help="leave out rows of a norm above M times the median")
    return parser.parse_args()


def read_texts(path):
    """The entries of a file: a list of {"text", and where given "label" and "split"}."""
    content = path.read_text(encoding="utf-8-sig")
    # Not splitlines(): it also cuts at separators such as U+2028, which texts may hold.
    lines = [line for line in content.split("\n") if line.strip()]
    if path.suffix == ".csv":
        entries = list(csv.DictReader(io.StringIO(content, newline="")))
    elif path.suffix == ".json":
        entries = json.loads(content)
    elif path.suffix == ".jsonl":
        entries = [json.loads(line) for line in lines]
    else:
        entries = lines
    entries = [{"text": entry} if isinstance(entry, str) else entry for entry in entries]
    for i, entry in enumerate(entries):
        if not (isinstance(entry, dict) and isinstance(entry.get("text"), str)):
            raise SystemExit(f'{path}: entry {i}: expected a text or {{"text": …}}, found {json.dumps(entry)[:80]}')
    if not entries:
        raise SystemExit(f"{path}: expected at least one text, found none")
    return entries


def utf16_offsets(text, spans):
    """Spans of characters, [n, 2], in UTF-16 code units."""
    return np.cumsum([0] + [2 if ord(char) > 0xFFFF else 1 for char in text])[np.array(spans)]


def hooked_module(model, site, name):
    """The module to hook, and whether its input is wanted rather than its output."""
    if name is not None:
        if name not in dict(model.named_modules()):
            raise SystemExit(f"--module {name}: the model has no module of this name: model.named_modules() lists them")
        return model.get_submodule(name), False
    parts = site.split(".")
    named = len(parts) == 3 and parts[0] == "blocks" and parts[1].isdecimal()
    if not named or parts[2] not in ("hook_resid_pre", "hook_resid_post"):
        raise SystemExit(f"--site {site}: expected blocks.L.hook_resid_pre or blocks.L.hook_resid_post, or --module too")
    # A model's blocks are its longest list of modules; lists within a list (the experts of a block) are none.
    lists = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.ModuleList)}
    outer = [module for name, module in lists.items() if not any(name.startswith(other + ".") for other in lists)]
    if not outer:
        raise SystemExit(f"--site {site}: found no list of blocks in the model: name one with --module")
    blocks = max(outer, key=len)
    if int(parts[1]) >= len(blocks):
        raise SystemExit(f"--site {site}: the model has {len(blocks)} blocks, from 0 on")
    return blocks[int(parts[1])], parts[2] == "hook_resid_pre"


def check_length(model, length):
    """Ends where the model has fewer positions than a text may have tokens."""
    most = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    limits = [most] if isinstance(most, int) and most > 0 else []
    for name, module in model.named_modules():
        # RoBERTa's positions begin behind that of padding.
        table = isinstance(module, torch.nn.Embedding) and name.endswith("position_embeddings")
        if table and module.padding_idx is not None:
            limits.append(module.num_embeddings - module.padding_idx - 1)
    if limits and not 1 <= length <= min(limits):
        raise SystemExit(f"--max-length {length}: expected 1 to {min(limits)}, the positions of the model")


def load(name, dtype):
    """The model without its head where transformers knows it so."""
    try:
        return AutoModel.from_pretrained(name, dtype=dtype)
    except ValueError:
        return AutoModelForCausalLM.from_pretrained(name, dtype=dtype)


class RowFiles:
    """Rows as they come, in files of FILE_ROWS."""

    def __init__(self, folder):
        self.folder, self.names, self.held, self.count = folder, [], [], 0

    def add(self, rows):
        self.held.append(rows)
        self.count += len(rows)
        if self.count >= FILE_ROWS:
            self.flush()

    def flush(self):
        if self.held:
            self.names.append(f"rows-{len(self.names):05d}.npy")
            np.save(self.folder / self.names[-1], np.concatenate(self.held))
        self.held, self.count = [], 0


def main():
    args = arguments()
    if args.out.exists() and any(args.out.iterdir()):
        raise SystemExit(f"--out {args.out}: expected a new or empty folder")
    args.out.mkdir(parents=True, exist_ok=True)
    entries = read_texts(args.texts)
    tokenizer = AutoTokenizer.from_pretrained(args.model, use_fast=True)
    model = load(args.model, getattr(torch, args.dtype)).to(args.device).eval()
    check_length(model, args.max_length)
    module, before = hooked_module(model, args.site, args.module)

    captured = []

    def capture(value):
        tensor = value[0] if isinstance(value, tuple) else value
        captured.append(tensor.detach())

    if before:
        module.register_forward_pre_hook(lambda _, given, named: capture(given or named["hidden_states"]), with_kwargs=True)
    else:
        module.register_forward_hook(lambda _module, _given, output: capture(output))

    files = RowFiles(args.out)
    special = np.array(sorted(tokenizer.all_special_ids), dtype=np.int64)
    bounds, ids, positions, offsets, keep, norms = [0], [], [], [], [], []
    for start in range(0, len(entries), args.batch):
        texts = [entry["text"] for entry in entries[start : start + args.batch]]
        encoded = [
            tokenizer(text, truncation=True, max_length=args.max_length, return_offsets_mapping=True) for text in texts
        ]
        lengths = [len(one["input_ids"]) for one in encoded]
        if 0 in lengths:
            raise SystemExit(f"text {start + lengths.index(0)} has no token: leave it out")
        # Padded on the right by any token, which the mask hides.
        shape = (len(texts), max(lengths))
        input_ids, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
        for i, one in enumerate(encoded):
            input_ids[i, : lengths[i]] = torch.tensor(one["input_ids"])
            mask[i, : lengths[i]] = 1
        captured.clear()
        with torch.no_grad():
            model(input_ids=input_ids.to(args.device), attention_mask=mask.to(args.device), use_cache=False)
        if len(captured) != 1:
            found = f"one that runs {len(captured)} times"
            raise SystemExit(f"{args.module or args.site}: expected a module that runs once for a text, found {found}")
        hidden = captured[0].float().cpu().numpy()
        if hidden.ndim != 3 or hidden.shape[:2] != shape:
            raise SystemExit(f"{args.module or args.site}: expected rows [{shape[0]}, {shape[1]}, width], found {list(hidden.shape)}")
        for i, one in enumerate(encoded):
            rows = hidden[i, : lengths[i]]
            files.add(rows)
            own = np.array(one["input_ids"])
            bounds.append(bounds[-1] + lengths[i])
            ids.append(own)
            positions.append(np.arange(lengths[i]))
            offsets.append(utf16_offsets(texts[i], one["offset_mapping"]))
            keep.append(~np.isin(own, special) & (positions[-1] >= args.first))
            norms.append(np.linalg.norm(rows.astype(np.float64), axis=1))
        print(f"{start + len(texts)} of {len(entries)} texts", end="\r", flush=True)
    files.flush()

    if args.max_norm is not None:
        counted = [norm[~np.isin(own, special)] for norm, own in zip(norms[:SAMPLE_TEXTS], ids[:SAMPLE_TEXTS])]
        limit = args.max_norm * np.median(np.concatenate(counted))
        keep = [flags & (norm <= limit) for flags, norm in zip(keep, norms)]
    empty = [i for i, flags in enumerate(keep) if not flags.any()]
    if empty:
        raise SystemExit(f"no token of the texts {empty[:8]} counts: leave them out")

    def column(name, values, kind):
        np.save(args.out / name, np.concatenate(values).astype(kind))
        return name

    np.save(args.out / "bounds.npy", np.array(bounds, dtype=np.int32))
    manifest = {
        "files": files.names,
        "site": args.site,
        "subject": Path(args.model).name,
        "modality": "text",
        "bounds": "bounds.npy",
        "tokenIds": column("token_ids.npy", ids, np.int32),
        "positions": column("positions.npy", positions, np.int32),
        "keep": column("keep.npy", keep, np.uint8),
        "offsets": column("offsets.npy", offsets, np.int32),
    }
    for field, file in (("text", "texts"), ("label", "labels"), ("split", "split")):
        values = [entry.get(field) for entry in entries]
        if any(value is not None for value in values):
            (args.out / f"{file}.json").write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
            manifest[file] = f"{file}.json"
    # Written last: a folder that has it is whole.
    (args.out / "activations.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    left = sum(len(flags) - int(flags.sum()) for flags in keep)
    print(f"wrote {args.out}: {bounds[-1]} rows of {len(entries)} texts at {args.site}, {left} of them do not count")


if __name__ == "__main__":
    main()
