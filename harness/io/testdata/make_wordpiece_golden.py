"""Writes wordpiece.golden.json: hashes of the ids of 300 real texts by MiniLM's own tokenizer, for wordpiece.test.ts.

Made with tokenizers 0.23.3:  python make_wordpiece_golden.py MINILM_FOLDER SHARED_DATA_FOLDER
"""
import hashlib
import json
import pathlib
import sys

from tokenizers import Tokenizer

model, data = (pathlib.Path(path) for path in sys.argv[1:])
lines = lambda path: (data / path).read_text(encoding="utf-8").split("\n")
abstracts = json.loads((data / "pubmedqa/ori_pqal.json").read_text())
texts = [
    *json.loads((data / "tinystories-1000/tinystories_1000.json").read_text())[:60],
    *lines("agnews/test.csv")[:60],
    *lines("sst2/dev.tsv")[:60],
    *lines("wikitext2/test.txt")[:60],
    # By number, in which order JavaScript has them.
    *(" ".join(entry["CONTEXTS"]) for _, entry in sorted(abstracts.items(), key=lambda pair: int(pair[0]))[:60]),
]
assert len(texts) == 300
tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
tokenizer.no_truncation()
tokenizer.no_padding()


def rows(limit):
    if limit:
        tokenizer.enable_truncation(limit)
    ids = [tokenizer.encode(text).ids for text in texts]
    joined = "\n".join(",".join(map(str, row)) for row in ids)
    return {"tokens": sum(map(len, ids)), "sha256": hashlib.sha256(joined.encode()).hexdigest()}


out = {"whole": rows(None), "cut at 512": rows(512), "cut at 256": rows(256)}
pathlib.Path(__file__).with_name("wordpiece.golden.json").write_text(json.dumps(out, indent=1) + "\n")
print(out)
