/** @file BERT's tokenizer as a tokenizer.json, built from `vocab.txt` the way HF's BertTokenizerFast does. */
import { shown, UserError } from '../errors.ts';
import { addedToken } from './added-token.ts';

const [UNKNOWN, BEGIN, END] = ['[UNK]', '[CLS]', '[SEP]'];
const SPECIALS = ['[PAD]', UNKNOWN, BEGIN, END, '[MASK]'];

/** What embeddings are padded to a multiple of, and by fewer rows than. */
const [PADDED_TO, PADDED_BY] = [8, 64];

/**
 * Ids of the tokens of a `vocab.txt`, one a line.
 *
 * @param rows `vocab_size` of the model beside it, where there is one.
 * @throws UserError for a token that stands there twice, for a file without BERT's special tokens, and for other lines than
 *   the model has rows, but for those of a padded embedding: a line that is lost gives all tokens after it another's id.
 */
export function bertVocabulary(path: string, text: string, rows?: unknown): Record<string, number> {
  const lines = text.replace(/\n$/, '').split('\n');
  const more = typeof rows === 'number' ? rows - lines.length : 0;
  if (more !== 0 && (Number(rows) % PADDED_TO !== 0 || more < 0 || more >= PADDED_BY)) {
    throw new UserError(
      `tokenizer ${path}: expected ${rows} lines, as many as vocab_size in config.json says, found ${lines.length}: cut off, ` +
        'edited or of another model.',
    );
  }
  const ids = new Map<string, number>();
  for (const [id, line] of lines.entries()) {
    const token = line.replace(/\r$/, '');
    const other = ids.get(token);
    if (other !== undefined) {
      throw new UserError(
        `tokenizer ${path}: line ${id + 1}: expected a token of its own, found ${shown(token)}, as in line ${other + 1}.`,
      );
    }
    ids.set(token, id);
  }
  for (const token of [UNKNOWN, BEGIN, END]) {
    if (!ids.has(token)) throw new UserError(`tokenizer ${path}: expected a line ${token}, found none: not BERT's.`);
  }
  return Object.fromEntries(ids);
}

/** What BERT's normalizer does to letters: fields of `tokenizer.json` by those of `tokenizer_config.json`. */
const FLAGS = {
  handle_chinese_chars: ['tokenize_chinese_chars', true],
  strip_accents: ['strip_accents', null],
  lowercase: ['do_lower_case', true],
} as const;

/**
 * Those fields as a `tokenizer_config.json` has them.
 *
 * @param usual Values of what it leaves out; BERT's own when omitted.
 * @throws UserError for a flag that is none.
 */
function lettersOf(path: string, given: Record<string, unknown>, usual?: Record<string, unknown>) {
  const fields = Object.entries(FLAGS).map(([field, [name, fallback]]) => {
    const value = given[name] ?? (usual ? usual[field] : fallback);
    if (value === undefined || value === null || typeof value === 'boolean') return [field, value] as const;
    throw new UserError(
      `tokenizer ${path}: tokenizer_config.json: ${name}: expected true or false, found ${shown(value)}.`,
    );
  });
  return Object.fromEntries(fields);
}

/**
 * A `tokenizer.json` with what the `tokenizer_config.json` beside it says of letters, which wins in transformers' BERT where
 * the two differ: a file that was made for another case.
 *
 * @throws UserError for a flag that is none.
 */
export function withBertLetters<T extends Record<string, unknown>>(
  path: string,
  json: T,
  given: Record<string, unknown>,
): T {
  const normalizer = json['normalizer'];
  const kind = given['tokenizer_class'] ?? 'BertTokenizer';
  const own = typeof normalizer === 'object' && normalizer !== null && 'type' in normalizer;
  if (!own || normalizer.type !== 'BertNormalizer' || !/^BertTokenizer(Fast)?$/.test(String(kind))) return json;
  const usual = given['tokenizer_class'] === undefined ? { ...normalizer } : undefined;
  return { ...json, normalizer: { ...normalizer, ...lettersOf(path, given, usual) } };
}

/**
 * `tokenizer.json` and `tokenizer_config.json` of a BERT.
 *
 * @param given Its `tokenizer_config.json`: `do_lower_case` (default true), `strip_accents`, `tokenize_chinese_chars`.
 * @throws UserError for a flag that is none.
 */
export function bertTokenizer(
  path: string,
  vocab: Record<string, number>,
  given: Record<string, unknown>,
): { json: object; config: object } {
  const special = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  const around = [special(BEGIN), { Sequence: { id: 'A', type_id: 0 } }, special(END)];
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIALS.filter((token) => Object.hasOwn(vocab, token)).map((token) =>
      addedToken(token, vocab[token]),
    ),
    normalizer: { type: 'BertNormalizer', clean_text: true, ...lettersOf(path, given) },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: around,
      pair: around,
      special_tokens: Object.fromEntries(
        [BEGIN, END].map((token) => [token, { id: token, ids: [vocab[token]], tokens: [token] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: UNKNOWN,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
  const config = {
    tokenizer_class: 'BertTokenizer',
    unk_token: UNKNOWN,
    cls_token: BEGIN,
    sep_token: END,
    pad_token: '[PAD]',
    mask_token: '[MASK]',
    model_max_length: 512,
  };
  return { json, config };
}
