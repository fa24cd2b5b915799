"""Writes tokenizers.golden.json: reference ids and character spans for tokenizer.test.ts.

Made with tokenizers 0.23.3:  python make_tokenizer_golden.py DATA
where DATA holds stories260k-hf/, tokenizers/clip/bpe_simple_vocab_16e6.txt.gz and tokenizers/gpt2/.
"""
import gzip
import json
import pathlib
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

data = pathlib.Path(sys.argv[1])
SENTENCES = [
    "Once upon a time, there was a little girl named Lily.",
    "The company was FOUNDED in 2016, wasn't it?",
    " leading and  double   spaces ",
    "line\nbreaks\n\n\tand tabs\r\n",
    "caf\u00e9 cafe\u0301 na\u00efve \u00c5ngstr\u00f6m \u212b",
    "snow \u2603 man, \U0001f600 grin, \u4f60\u597d\u4e16\u754c, \u0645\u0631\u062d\u0628\u0627",
    "x-ray: pleural effusion (2.5 cm)... <b>bold</b> & it's 100%!",
    "\U0001d54f",
    "literal <|endoftext|> and <s> inside </s>.",
    "hi\u00a0there\u3000wide",
    "a",
    " ",
    "",
]


def byte_symbols():
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in keep]
    return [chr(b) for b in keep] + [chr(256 + i) for i in range(len(rest))]


def clip():
    lines = gzip.open(data / "tokenizers/clip/bpe_simple_vocab_16e6.txt.gz").read().decode().split("\n")
    merges = [tuple(line.split()) for line in lines[1 : 49152 - 256 - 2 + 1]]
    symbols = byte_symbols()
    tokens = [*symbols, *(s + "</w>" for s in symbols), *("".join(m) for m in merges), "<|startoftext|>", "<|endoftext|>"]
    vocab = {token: i for i, token in enumerate(tokens)}
    tok = Tokenizer(
        models.BPE(vocab, merges, continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token="<|endoftext|>")
    )
    tok.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    pattern = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(pattern, "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tok.post_processor = processors.RobertaProcessing(
        ("<|endoftext|>", 49407), ("<|startoftext|>", 49406), trim_offsets=False, add_prefix_space=False
    )
    tok.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ("<|startoftext|>", "<|endoftext|>")])
    return tok


def gpt2():
    vocab = json.load(open(data / "tokenizers/gpt2/encoder.json"))
    lines = open(data / "tokenizers/gpt2/vocab.bpe", encoding="utf-8").read().split("\n")
    merges = [tuple(line.split()) for line in lines[1:] if line]
    tok = Tokenizer(models.BPE(vocab, merges))
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    tok.add_special_tokens([AddedToken("<|endoftext|>", normalized=False, special=True)])
    return tok


def units(text, at):
    """Code points to UTF-16 units."""
    return len(text[:at].encode("utf-16-le")) // 2


out = {}
for name, tok in {
    "stories260k-hf": Tokenizer.from_file(str(data / "stories260k-hf/tokenizer.json")),
    "tokenizers/clip": clip(),
    "tokenizers/gpt2": gpt2(),
}.items():
    out[name] = []
    for text in SENTENCES:
        enc = tok.encode(text)
        offsets = [[units(text, a), units(text, b)] for a, b in enc.offsets]
        out[name].append({"text": text, "ids": enc.ids, "offsets": offsets})
path = pathlib.Path(__file__).parent / "tokenizers.golden.json"
lines = [f"{json.dumps(k)}: [\n" + ",\n".join(json.dumps(row) for row in v) + "\n]" for k, v in out.items()]
path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
