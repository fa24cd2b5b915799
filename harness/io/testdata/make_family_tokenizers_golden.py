"""Writes family-tokenizers.golden.json: small tokenizers built as those of model families are, and what they do to texts.

Made with tokenizers 0.23.3:  python make_family_tokenizers_golden.py [RANDOM_TEXTS [FILE]]
Normalizers, pre-tokenizers, post-processors, decoders and kinds of added tokens are those of the published tokenizer.json
of each family; vocabularies are of a few hundred tokens.
"""
import json
import pathlib
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers as pre, processors, trainers

QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CORPUS = [
    "The tall nurse saw the old tree, and then the nurse wrote about what she had seen there on that wet night.",
    "It's 2024: don't they'll we've I'm 1234 12 units?\n\nYes!  No...\n\tdef f(x):\n        return x  # ok\r\n",
    "caf\u00e9 na\u00efve \u4f60\u597d \u4e16\u754c \u041f\u0440\u0438\u0432\u0435\u0442 \u03b1\u03b2\u03b3",
] * 4
TEXTS = [
    "", " ", "  ", "\n", "\n\n\n", "\t x", "the nurse", " the nurse ", "The nurse  saw   the    old tree.", "it's we'VE I'M don'T",
    "12 123 1234 12345 \u00bd \u0663\u0664", "a\r\nb\r\n\r\n c\n \n d", "x = {'a': [1, 2]}\n        return  x", "caf\u00e9 cafe\u0301 \u212b \ufb01n",
    "\u4f60\u597d\u4e16\u754c\u3002\uff01", "\U0001f600\U0001f468\u200d\U0001f469 ok", "a\u0085b\u2028c\u3000d\u00a0e", "\u2581a \u2581\u2581b _c__",
    "<s>text</s> <bos>x<eos> <|endoftext|>y", "a <|im_start|>user\nhi<|im_end|>\n", "<|user|>\n Hi <|end|>\n<|assistant|>\nthe", "<start_of_turn>user\n\n\nx<end_of_turn>\n",
    "a                b        c  d   e", "end of line   \nnext", "\ufeffBOM \u200bzw\u00adshy", "<0x0A> <unk> [multimodal]", "\u017fS \u0130\u0131 'S 'ſ", "tree.tree,tree-tree",
]
PIECES = [" ", "  ", "\n", "\r\n", "\t", "the", "nurse", "'s", "'LL", "12", "3", "\u00bd", ".", "...", "_", "\u2581", "\u4f60", "\u00e9", "e\u0301", "\U0001f600", "\u00a0", "\u2028", "x", "Y",
    "<s>", "</s>", "<bos>", "<|endoftext|>", "<|im_end|>", "<|end|>", "<|user|>", "        ", "\n\n", "\u0663", "\u017f", "'"]


def random_texts(count):
    rng = random.Random(1)
    return ["".join(rng.choice(PIECES) for _ in range(rng.randint(1, 12))) for _ in range(count)]


def byte_level(normalizer, cut, post, size=340, ignore_merges=False):
    tok = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tok.normalizer = normalizer
    tok.pre_tokenizer = cut
    tok.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=size, initial_alphabet=pre.ByteLevel.alphabet(), show_progress=False))
    tok.decoder = decoders.ByteLevel()
    if post:
        tok.post_processor = post
    return tok


def sentencepiece(first, normalizer, cut, decoder, runs=()):
    """BPE with bytes for unknown characters, as converted from SentencePiece; a run of a character is made of any two shorter."""
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizer
    trained.pre_tokenizer = pre.Split("\u2581", "merged_with_next")
    trained.train_from_iterator(CORPUS[:2], trainers.BpeTrainer(vocab_size=150, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    tokens = first + [f"<0x{b:02X}>" for b in range(256)]
    tokens += [token for token in sorted(model["vocab"], key=model["vocab"].get) if token not in tokens]
    vocab = {token: i for i, token in enumerate(tokens)}
    merges = [tuple(merge) if isinstance(merge, list) else tuple(merge.split(" ")) for merge in model["merges"]]
    merges += [(a, run[len(a) :]) for run in runs for a in (run[:n] for n in range(1, len(run)))]
    tok = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tok.normalizer = normalizer
    if cut:
        tok.pre_tokenizer = cut
    tok.decoder = decoder
    return tok


def bos(tok, name):
    tok.post_processor = processors.TemplateProcessing(
        single=f"{name} $A", pair=f"{name} $A {name}:1 $B:1", special_tokens=[(name, tok.token_to_id(name))]
    )


def specials(tok, names, **kind):
    tok.add_special_tokens([AddedToken(name, normalized=False, **kind) for name in names])


def qwen2():
    cut = pre.Sequence([pre.Split(Regex(QWEN2), "isolated"), pre.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok = byte_level(normalizers.NFC(), cut, processors.ByteLevel(trim_offsets=False))
    specials(tok, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    # Not special, as Qwen 3's.
    tok.add_tokens([AddedToken("<think>", normalized=False)])
    return tok, dict(tokenizer_class="Qwen2Tokenizer", eos_token="<|endoftext|>", pad_token="<|endoftext|>", add_prefix_space=False)


def neox():
    tok = byte_level(normalizers.NFC(), pre.ByteLevel(add_prefix_space=False), processors.ByteLevel(add_prefix_space=False))
    specials(tok, ["<|endoftext|>", "<|padding|>"])
    # Runs of spaces, each a token that is looked for in the normalised text.
    tok.add_tokens([AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)])
    return tok, dict(tokenizer_class="GPTNeoXTokenizer", bos_token="<|endoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>", add_prefix_space=False)


def olmo2():
    cut = pre.Sequence([pre.Split(Regex(CL100K), "removed", invert=True), pre.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok = byte_level(None, cut, None)
    specials(tok, ["<|endoftext|>", "<|pad|>"])
    tok.add_tokens([AddedToken("|||IP_ADDRESS|||", normalized=False)])
    return tok, dict(tokenizer_class="GPT2Tokenizer", bos_token="<|endoftext|>", eos_token="<|endoftext|>", pad_token="<|pad|>")


def llama3():
    cut = pre.Sequence([pre.Split(Regex(CL100K), "isolated"), pre.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok = byte_level(None, cut, None, ignore_merges=True)
    specials(tok, ["<|begin_of_text|>", "<|end_of_text|>"])
    bos(tok, "<|begin_of_text|>")
    byte = tok.post_processor
    tok.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), byte])
    return tok, dict(tokenizer_class="PreTrainedTokenizerFast", bos_token="<|begin_of_text|>", eos_token="<|end_of_text|>")


OLD = lambda: normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
SPACES = lambda *more: decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), *more])


def mistral():
    tok = sentencepiece(["<unk>", "<s>", "</s>"], OLD(), None, SPACES(decoders.Strip(" ", 1, 0)))
    specials(tok, ["<unk>", "<s>", "</s>"])
    bos(tok, "<s>")
    return tok, dict(tokenizer_class="LlamaTokenizer", bos_token="<s>", eos_token="</s>", unk_token="<unk>", add_bos_token=True, add_eos_token=False)


def mistral3():
    """As from v0.3 on: the first space comes from the pre-tokenizer."""
    tok = sentencepiece(["<unk>", "<s>", "</s>", "[INST]"], normalizers.Replace(" ", "\u2581"), pre.Metaspace(prepend_scheme="first", split=False), SPACES(decoders.Strip(" ", 1, 0)))
    tok.normalizer = None
    specials(tok, ["<unk>", "<s>", "</s>", "[INST]"])
    bos(tok, "<s>")
    return tok, dict(tokenizer_class="LlamaTokenizer", bos_token="<s>", eos_token="</s>", unk_token="<unk>", add_bos_token=True, add_eos_token=False)


def phi3():
    tok = sentencepiece(["<unk>", "<s>", "</s>"], OLD(), None, SPACES(decoders.Strip(" ", 1, 0)))
    specials(tok, ["<unk>", "<s>"])
    tok.add_tokens([AddedToken("</s>", rstrip=True, normalized=False)])
    specials(tok, ["<|endoftext|>"])
    specials(tok, ["<|assistant|>", "<|system|>", "<|end|>", "<|user|>"], rstrip=True)
    tok.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B:1", special_tokens=[])
    return tok, dict(tokenizer_class="LlamaTokenizer", bos_token="<s>", eos_token="<|endoftext|>", pad_token="<|endoftext|>", unk_token="<unk>", add_bos_token=False, add_eos_token=False)


def gemma():
    first = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "[multimodal]"]
    runs = ["\n" * n for n in range(1, 8)] + ["\u2581" * n for n in range(2, 8)]
    tok = sentencepiece(first + ["<start_of_turn>", "<end_of_turn>"] + runs, normalizers.Replace(" ", "\u2581"), pre.Split(" ", "merged_with_previous"), SPACES(), runs)
    specials(tok, first + ["<start_of_turn>", "<end_of_turn>"])
    tok.add_tokens([AddedToken(run, normalized=False) for run in runs])
    bos(tok, "<bos>")
    return tok, dict(tokenizer_class="GemmaTokenizer", bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>", add_bos_token=True, add_eos_token=False)


FAMILIES = dict(qwen2=qwen2, neox=neox, olmo2=olmo2, llama3=llama3, mistral=mistral, mistral3=mistral3, phi3=phi3, gemma=gemma)


def main():
    texts = TEXTS + random_texts(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
    out = {}
    for name, make in FAMILIES.items():
        tok, config = make()
        rows = [tok.encode(text).ids for text in texts]
        decoded = [tok.decode(row, skip_special_tokens=True) for row in rows]
        out[name] = {"json": json.loads(tok.to_str()), "config": config, "ids": rows, "decoded": decoded}
    path = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).parent / "family-tokenizers.golden.json"
    rows = [f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in out.items()]
    path.write_text('{"texts": ' + json.dumps(texts) + ',\n"families": {\n' + ",\n".join(rows) + "\n}}\n")


main()
