"""Writes tokenizer-stages.golden.json: where pre-tokenizers and normalizers cut and change texts, for tokenizer-stages.test.ts.

Made with tokenizers 0.23.3:  python make_tokenizer_stages_golden.py
Every token is a byte, and the last byte of a piece ends with </w>: ids show the text and where it was cut.
"""
import json
import pathlib

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers as pre

TEXTS = [
    "add \u00bd cup, 1 \u00bd cups",
    "x \u00b2 y, page \u2163, \u0663\u0664 items, plain 12 text",
    "a\u0085b, \u0085\u0085 c",
    " \ufeff x\ufeff",
    "\u0085end\u0085",
    "\u039f\u0394\u039f\u03a3 \u03a3\u0391\u03a3. \u0130\u017f",
    "don't  stop...(now) -- a.b",
    "\U0001f600 grin\U0001d7d8\n\n\ttab ",
    "\u200cjoin\u200d\u2028line\u3000wide\u00a0nb",
    "caf\u00e9 cafe\u0301 \u4f60\u597d",
    "a  b \u2581c",
    "\u00c5ngstr\u00f6m \u1e69 nu\u0000l\u200bl \ufffd be\u00adll\u0007 \uac00\u3042\u9fff\U00020000x \ue000",
]
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BEHAVIOURS = ["isolated", "removed", "contiguous", "merged_with_previous", "merged_with_next"]

byte_level = lambda: pre.ByteLevel(add_prefix_space=False, use_regex=False)
STAGES = {
    "gpt2": (None, pre.ByteLevel(add_prefix_space=False)),
    "gpt2 with a space before": (None, pre.ByteLevel(add_prefix_space=True)),
    "llama3": (None, pre.Split(Regex(LLAMA3), "isolated")),
    "single digits": (None, pre.Digits(individual_digits=True)),
    "digits": (None, pre.Digits(individual_digits=False)),
    "whitespace": (None, pre.Whitespace()),
    "whitespace split": (None, pre.WhitespaceSplit()),
    "bert": (None, pre.BertPreTokenizer()),
    "metaspace": (None, pre.Metaspace()),
    "metaspace, first": (None, pre.Metaspace(prepend_scheme="first", split=False)),
    "bert, normalised": (normalizers.BertNormalizer(), pre.BertPreTokenizer()),
    "bert, cased": (normalizers.BertNormalizer(lowercase=False), pre.BertPreTokenizer()),
    "bert, accents kept": (normalizers.BertNormalizer(strip_accents=False), None),
    "bert, not cleaned": (normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False), None),
    "lower case": (normalizers.Lowercase(), None),
    "strip": (normalizers.Strip(), None),
    "strip right": (normalizers.Strip(left=False), None),
    **{f"punctuation {b}": (None, pre.Punctuation(b)) for b in BEHAVIOURS},
    **{f"split by a pattern, {b}": (None, pre.Split(Regex(r"[\s.]"), b)) for b in BEHAVIOURS},
    **{f"split by a text, {b}": (None, pre.Split(".", b)) for b in BEHAVIOURS},
    "split by the rest": (None, pre.Split(Regex(r"\w+"), "removed", invert=True)),
}

keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
symbols = [chr(b) for b in keep] + [chr(256 + i) for i in range(256 - len(keep))]
vocab = {token: i for i, token in enumerate([*symbols, *(s + "</w>" for s in symbols)])}
out = {"texts": TEXTS, "stages": {}}
for name, (normalizer, cut) in STAGES.items():
    tok = Tokenizer(models.BPE(vocab, [], end_of_word_suffix="</w>"))
    if normalizer is not None:
        tok.normalizer = normalizer
    tok.pre_tokenizer = pre.Sequence([cut, byte_level()]) if cut is not None else byte_level()
    stages = json.loads(tok.to_str())
    ids = [tok.encode(text).ids for text in TEXTS]
    out["stages"][name] = {key: stages[key] for key in ("normalizer", "pre_tokenizer")} | {"ids": ids}
path = pathlib.Path(__file__).parent / "tokenizer-stages.golden.json"
rows = [f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in out["stages"].items()]
path.write_text('{"texts": ' + json.dumps(TEXTS) + ', "stages": {\n' + ",\n".join(rows) + "\n}}\n")
