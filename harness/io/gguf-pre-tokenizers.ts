/**
 * @file How the byte-level vocabularies of GGUF files cut a text into words, by `tokenizer.ggml.pre`. Source: the models' own
 * tokenizer.json; llama.cpp's llm_tokenizer_bpe has the same expressions.
 */

/** How a vocabulary is used. */
export interface PreTokenizer {
  /** Stages of a tokenizer.json before ByteLevel, which cuts as GPT-2 does where `gpt2` is set. */
  stages: readonly object[];
  gpt2?: boolean;
  /** A Unicode form that texts are brought into. */
  normalizer?: 'NFC';
  /** A word of the vocabulary is a token, whatever the merges would make of it. */
  ignoreMerges?: boolean;
  /** Whether BOS begins a text where the file does not say. */
  addBos?: boolean;
}

const SPACE = '\\p{White_Space}';
/** English contractions in either case; ſ is a small s of another case. */
const CONTRACTIONS = `'[sSſ]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]`;
const LINES_AND_SPACES = `${SPACE}*[\\r\\n]+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`;
const SYMBOLS = ` ?[^${SPACE}\\p{L}\\p{N}]+`;

const byDigits = (digits: string) =>
  `(?:${CONTRACTIONS})|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}|${SYMBOLS}[\\r\\n]*|${LINES_AND_SPACES}`;

const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const BEFORE_WORD = '[^\\r\\n\\p{L}\\p{N}]?';

/** Words whose case changes are cut, with `ending` after them. */
const byCase = (ending: string, digits: string) =>
  `${BEFORE_WORD}${UPPER}*${LOWER}+${ending}|${BEFORE_WORD}${UPPER}+${LOWER}*${ending}|${digits}|` +
  `${SYMBOLS}[\\r\\n/]*|${LINES_AND_SPACES}`;

const LLAMA3 = byDigits('\\p{N}{1,3}');
const QWEN2 = byDigits('\\p{N}');
const TEKKEN = byCase('', '\\p{N}');
const GPT4O = byCase(`(?:${CONTRACTIONS})?`, '\\p{N}{1,3}');

/** The expressions above, which take time in proportion to the text. */
export const GGUF_PATTERNS: readonly string[] = [LLAMA3, QWEN2, TEKKEN, GPT4O];

const split = (Regex: string): PreTokenizer['stages'] => [
  { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
];
const gpt2: PreTokenizer = { stages: [], gpt2: true };
const digits: PreTokenizer = { stages: [{ type: 'Digits', individual_digits: true }], gpt2: true };
const llama3: PreTokenizer = { stages: split(LLAMA3), ignoreMerges: true, addBos: true };

/** By `tokenizer.ggml.pre`. */
export const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  'gpt-2': gpt2,
  'phi-2': gpt2,
  mpt: gpt2,
  olmo: gpt2,
  smollm: digits,
  starcoder: digits,
  refact: digits,
  codeshell: digits,
  llama3,
  'llama-v3': llama3,
  'llama-bpe': llama3,
  dbrx: { stages: split(LLAMA3) },
  qwen2: { stages: split(QWEN2), normalizer: 'NFC' },
  stablelm2: { stages: split(QWEN2), normalizer: 'NFC' },
  'deepseek-r1-qwen': { stages: split(QWEN2), addBos: true },
  tekken: { stages: split(TEKKEN), ignoreMerges: true, addBos: true },
  'gpt-4o': { stages: split(GPT4O) },
};
