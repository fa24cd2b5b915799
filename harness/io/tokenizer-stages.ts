/**
 * @file Stages of a tokenizer.json that the JavaScript library computes otherwise than Hugging Face's own (Rust)
 * tokenizers: rewritten into stages that both understand alike. Its Digits know 0 to 9 only, its white space is
 * JavaScript's (with U+FEFF, without U+0085), its Split knows two of five behaviours, its Metaspace does not split.
 */
import { shown, UserError } from '../errors.ts';

type Stage = Record<string, unknown>;

/** White space, numerals and words as Rust's `char` and `regex` define them. */
const SPACE = '\\p{White_Space}';
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200C\\u200D';
/** Unicode's punctuation and all of ASCII's. */
const PUNCTUATION = '\\p{P}\\u0021-\\u002F\\u003A-\\u0040\\u005B-\\u0060\\u007B-\\u007E';
/** What cuts a text into words in GPT-2. */
const GPT2_WORDS = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`;

const ANY = '[\\s\\S]';

const sequence = (pretokenizers: Stage[]): Stage => ({ type: 'Sequence', pretokenizers });
const replace = (Regex: string, content: string): Stage => ({ type: 'Replace', pattern: { Regex }, content });
/** Pieces are the matches; what lies between is left out. */
const matches = (Regex: string): Stage => ({ type: 'Split', pattern: { Regex }, behavior: 'Removed', invert: true });
/** Matches and what lies between them are pieces. */
const cut = (Regex: string): Stage => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });

/** Where a text is cut, by the behaviours of Split and Punctuation. */
const CUTS: Readonly<Record<string, (pattern: string) => Stage>> = {
  Isolated: cut,
  Removed: (pattern) => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Removed', invert: false }),
  Contiguous: (pattern) => cut(`(?:${pattern})+`),
  MergedWithPrevious: (pattern) => matches(`(?:(?!${pattern})${ANY})*(?:${pattern})|(?:(?!${pattern})${ANY})+`),
  MergedWithNext: (pattern) => matches(`(?:${pattern})(?:(?!${pattern})${ANY})*|(?:(?!${pattern})${ANY})+`),
};

function cutBy(path: string, { type, behavior = 'Isolated' }: Stage, pattern: string): Stage {
  const make = typeof behavior === 'string' && Object.hasOwn(CUTS, behavior) ? CUTS[behavior] : undefined;
  if (make) return make(pattern);
  throw new UserError(
    `tokenizer ${path}: pre_tokenizer: ${type}: behavior: expected ${Object.keys(CUTS).join(', ')}; found ${shown(behavior)}.`,
  );
}

/** A plain text as a pattern. */
const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

function split(path: string, stage: Stage): Stage {
  const { String: text, Regex } = stage['pattern'] as { String?: string; Regex?: string };
  const pattern = Regex ?? literally(text!);
  // Matches and the rest change places, which only these two behaviours tell apart.
  const { behavior } = stage;
  if (stage['invert'] !== true || behavior === 'Isolated' || behavior === 'Contiguous')
    return cutBy(path, stage, pattern);
  if (behavior === 'Removed') return matches(pattern);
  throw new UserError(
    `tokenizer ${path}: pre_tokenizer: Split: behavior: expected Removed, Isolated or Contiguous with invert, found ${shown(behavior)}.`,
  );
}

function byteLevel(stage: Stage): Stage {
  const prefix = stage['add_prefix_space'] === true ? [replace('\\A[^ ]', ' $&')] : [];
  const words = stage['use_regex'] === false ? [] : [cut(GPT2_WORDS)];
  return sequence([...prefix, ...words, { ...stage, add_prefix_space: false, use_regex: false }]);
}

function metaspace(stage: Stage): Stage {
  const { split: splits = true, replacement = '▁', add_prefix_space } = stage;
  const scheme = stage['prepend_scheme'] ?? (add_prefix_space === false ? 'never' : 'always');
  const spelled = { ...stage, prepend_scheme: scheme };
  return splits ? sequence([spelled, CUTS['MergedWithNext']!(literally(String(replacement)))]) : spelled;
}

const PRE_TOKENIZERS: Readonly<Record<string, (stage: Stage, path: string) => Stage>> = {
  Digits: ({ individual_digits }) => cut(individual_digits === true ? '\\p{N}' : '\\p{N}+'),
  ByteLevel: byteLevel,
  Metaspace: metaspace,
  Split: (stage, path) => split(path, stage),
  Punctuation: (stage, path) => cutBy(path, stage, `[${PUNCTUATION}]`),
  Whitespace: () => matches(`[${WORD}]+|[^${WORD}${SPACE}]+`),
  WhitespaceSplit: () => matches('\\P{White_Space}+'),
  BertPreTokenizer: () => matches(`[^${SPACE}${PUNCTUATION}]+|[${PUNCTUATION}]`),
};

/** What BERT's normaliser leaves out of a text: control, format, private and surrogate characters, but for white space. */
const UNPRINTABLE = '[\\0\\uFFFD]|(?![\\t\\n\\r])[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}]';
/** The blocks of CJK ideographs that BERT takes each for a word. */
const IDEOGRAPHS =
  '[\\u4E00-\\u9FFF\\u3400-\\u4DBF\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B73F}\\u{2B740}-\\u{2B81F}\\u{2B920}-\\u{2CEAF}\\uF900-\\uFAFF\\u{2F800}-\\u{2FA1F}]';

// JavaScript writes a sigma at the end of a word as ς; Rust takes each letter by itself.
const lowercase = (stage: Stage): Stage => ({ type: 'Sequence', normalizers: [replace('Σ', 'σ'), stage] });

/**
 * As Rust's, whose tables are of an older Unicode: of all characters, 529 differ, combining marks of rare scripts that were
 * added since, which it takes for letters.
 */
function bertNormalizer(stage: Stage): Stage {
  const { clean_text: clean = true, handle_chinese_chars: ideographs = true, lowercase: lower = true } = stage;
  const strip = stage['strip_accents'] ?? lower;
  return {
    type: 'Sequence',
    normalizers: [
      ...(clean === true ? [replace(UNPRINTABLE, ''), replace(SPACE, ' ')] : []),
      ...(ideographs === true ? [replace(IDEOGRAPHS, ' $& ')] : []),
      ...(strip === true ? [{ type: 'NFD' }, replace('\\p{Mn}', '')] : []),
      ...(lower === true ? [lowercase({ type: 'Lowercase' })] : []),
    ],
  };
}

const NORMALIZERS: Readonly<Record<string, (stage: Stage, path: string) => Stage>> = {
  Lowercase: lowercase,
  BertNormalizer: bertNormalizer,
  Strip: ({ strip_left, strip_right }) => ({
    type: 'Sequence',
    normalizers: [
      ...(strip_left === true ? [replace(`\\A${SPACE}+`, '')] : []),
      ...(strip_right === true ? [replace(`${SPACE}+\\z`, '')] : []),
    ],
  }),
  Precompiled(_stage, path) {
    throw new UserError(
      `tokenizer ${path}: normalizer: expected one without a precompiled table (Precompiled), which is not read here: ids would differ.`,
    );
  },
};

/** A tree of stages with each rewritten. */
function rewritten(node: unknown, nested: string, rules: typeof NORMALIZERS, path: string): unknown {
  if (typeof node !== 'object' || node === null) return node;
  const stage = node as Stage;
  if (stage['type'] === 'Sequence') {
    const parts = stage[nested] as unknown[];
    return { ...stage, [nested]: parts.map((part) => rewritten(part, nested, rules, path)) };
  }
  const type = String(stage['type']);
  return Object.hasOwn(rules, type) ? rules[type]!(stage, path) : stage;
}

function checkAlike(path: string, json: Stage): void {
  const model = json['model'] as Stage;
  const fail = (field: string, expected: string, found: unknown): never => {
    throw new UserError(`tokenizer ${path}: ${field}: expected ${expected}, found ${shown(found)}: ids would differ.`);
  };
  if (model['type'] === 'Unigram' && model['byte_fallback'] === true)
    fail('model.byte_fallback', 'false with the model Unigram', true);
  const prefix = model['continuing_subword_prefix'];
  if (model['type'] === 'BPE' && typeof prefix === 'string' && prefix !== '')
    fail('model.continuing_subword_prefix', 'none with the model BPE', prefix);
  const whole = (json['added_tokens'] as Stage[]).find(({ single_word }) => single_word === true);
  if (whole) fail(`added_tokens: ${shown(whole['content'])}: single_word`, 'false', true);
}

/**
 * A tokenizer.json (checked) whose stages the JavaScript library computes as Rust's tokenizers do.
 *
 * @throws UserError for what cannot be brought to agree.
 */
export function agreeingStages(path: string, json: Record<string, unknown>): Record<string, unknown> {
  checkAlike(path, json);
  return {
    ...json,
    normalizer: rewritten(json['normalizer'], 'normalizers', NORMALIZERS, path),
    pre_tokenizer: rewritten(json['pre_tokenizer'], 'pretokenizers', PRE_TOKENIZERS, path),
  };
}
