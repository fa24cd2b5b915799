/** @file The tokenizer in a GGUF file's metadata as the two documents that Hugging Face's folders have. */
import { shown, UserError, unknownName } from '../errors.ts';
import type { GgufFile } from './gguf.ts';
import type { GgufValue } from './gguf-header.ts';
import { PRE_TOKENIZERS } from './gguf-pre-tokenizers.ts';

/** Kinds of tokens, as llama.cpp numbers them. */
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;

const SPACE_MARK = '▁';

/** Gemma's files write its tokens of several spaces with spaces; its merges know them by the mark. */
const GEMMA = /^gemma/;
const SPACES = /^ {2,}$/;

/** What every kind of vocabulary has. */
interface Vocabulary {
  path: string;
  tokens: readonly string[];
  /** Ids by token. */
  ids: ReadonlyMap<string, number>;
  /** Kind of each token. */
  kinds: readonly number[];
  value: (key: string) => GgufValue | undefined;
  /** Gemma's: merges go by the order of the tokens, not by the scores. */
  isGemma: boolean;
}

/** A `tokenizer.json` without its added tokens, and what the config adds where the file says nothing. */
interface Built {
  json: Record<string, unknown>;
  addBos: boolean;
}

const wrong = (path: string, key: string, expected: string, found: unknown): UserError =>
  new UserError(`gguf ${path}: tokenizer.ggml.${key}: expected ${expected}, found ${shown(found)}.`);

function listOf<T extends 'string' | 'number'>(
  { path, value }: Pick<Vocabulary, 'path' | 'value'>,
  key: string,
  type: T,
): (T extends 'string' ? string : number)[] | undefined {
  const found = value(key);
  if (found === undefined) return undefined;
  if (!Array.isArray(found)) throw wrong(path, key, `a list of ${type}s`, found);
  const other = found.find((item) => typeof item !== type);
  if (other !== undefined) throw wrong(path, key, `a list of ${type}s`, other);
  return found as (T extends 'string' ? string : number)[];
}

function readVocabulary({ path, metadata }: GgufFile): Vocabulary {
  const value = (key: string) => metadata.get(`tokenizer.ggml.${key}`);
  const listed = listOf({ path, value }, 'tokens', 'string');
  if (!listed || listed.length === 0) throw wrong(path, 'tokens', 'a vocabulary', value('tokens'));
  const isGemma = GEMMA.test(String(metadata.get('general.architecture')));
  const tokens = isGemma
    ? listed.map((token) => (SPACES.test(token) ? SPACE_MARK.repeat(token.length) : token))
    : listed;
  const kinds = listOf({ path, value }, 'token_type', 'number') ?? tokens.map(() => 1);
  if (kinds.length !== tokens.length) throw wrong(path, 'token_type', `${tokens.length} kinds`, kinds.length);
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    const other = ids.get(token);
    if (other !== undefined) {
      throw new UserError(`gguf ${path}: tokenizer.ggml.tokens: ${shown(token)} occurs twice, as ${other} and ${id}.`);
    }
    ids.set(token, id);
  }
  return { path, tokens, ids, kinds, value, isGemma };
}

/** GPT-2's kind: merges over symbols of bytes. */
function byteLevel(vocabulary: Vocabulary): Built {
  const { path, ids, value } = vocabulary;
  const pre = value('pre');
  if (typeof pre !== 'string') throw wrong(path, 'pre', 'the name of how texts are cut into words', pre);
  if (!Object.hasOwn(PRE_TOKENIZERS, pre)) {
    throw unknownName(`tokenizer.ggml.pre of ${path}`, pre, Object.keys(PRE_TOKENIZERS));
  }
  const { stages, gpt2 = false, normalizer, ignoreMerges = false, addBos = false } = PRE_TOKENIZERS[pre]!;
  const merges = listOf(vocabulary, 'merges', 'string');
  if (!merges) throw wrong(path, 'merges', 'a list of strings', undefined);
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true };
  return {
    addBos,
    json: {
      normalizer: normalizer === undefined ? null : { type: normalizer },
      pre_tokenizer: { type: 'Sequence', pretokenizers: [...stages, { ...bytes, use_regex: gpt2 }] },
      post_processor: { ...bytes, trim_offsets: false },
      decoder: { type: 'ByteLevel' },
      model: {
        type: 'BPE',
        continuing_subword_prefix: '',
        end_of_word_suffix: '',
        fuse_unk: false,
        ignore_merges: ignoreMerges,
        vocab: Object.fromEntries(ids),
        merges,
      },
    },
  };
}

/**
 * The merges that SentencePiece's scores stand for: of all pairs that make a token, the best token's first. Where scores are
 * equal, the longer left part first, as transformers orders them.
 */
function mergesByScore({ tokens, ids, kinds }: Vocabulary, scores: readonly number[]): [string, string][] {
  interface Merge {
    score: number;
    left: string;
    right: string;
    sizes: [number, number];
  }
  const merges: Merge[] = [];
  for (const [id, token] of tokens.entries()) {
    const kind = kinds[id]!;
    if (kind === CONTROL || kind === UNKNOWN || kind === BYTE) continue;
    const symbols = [...token];
    const own: Merge[] = [];
    for (let at = 1; at < symbols.length; at++) {
      const [left, right] = [symbols.slice(0, at).join(''), symbols.slice(at).join('')];
      if (ids.has(left) && ids.has(right)) {
        own.push({ score: scores[id]!, left, right, sizes: [at, symbols.length - at] });
      }
    }
    own.sort((a, b) => ids.get(a.left)! - ids.get(b.left)! || ids.get(a.right)! - ids.get(b.right)!);
    merges.push(...own);
  }
  merges.sort((a, b) => b.score - a.score || b.sizes[0] - a.sizes[0] || b.sizes[1] - a.sizes[1]);
  return merges.map(({ left, right }) => [left, right]);
}

/** SentencePiece's kind: pairs by scores over characters, with bytes for those that are not in the vocabulary. */
function sentencePiece(vocabulary: Vocabulary): Built {
  const { path, tokens, ids, kinds, value } = vocabulary;
  const scores = listOf(vocabulary, 'scores', 'number');
  if (scores?.length !== tokens.length) throw wrong(path, 'scores', `${tokens.length} numbers`, scores?.length);
  const prefix = flagOf(vocabulary, 'add_space_prefix', true);
  const unknown = tokens[kinds.indexOf(UNKNOWN)] ?? tokens[Number(value('unknown_token_id') ?? 0)];
  const replace = (from: string, content: string) => ({ type: 'Replace', pattern: { String: from }, content });
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  return {
    addBos: true,
    json: {
      normalizer: {
        type: 'Sequence',
        normalizers: [...(prefix ? [{ type: 'Prepend', prepend: SPACE_MARK }] : []), replace(' ', SPACE_MARK)],
      },
      pre_tokenizer: null,
      post_processor: null,
      decoder: {
        type: 'Sequence',
        decoders: [replace(SPACE_MARK, ' '), { type: 'ByteFallback' }, { type: 'Fuse' }, ...(prefix ? [strip] : [])],
      },
      model: {
        type: 'BPE',
        unk_token: unknown,
        fuse_unk: true,
        byte_fallback: kinds.includes(BYTE),
        vocab: Object.fromEntries(ids),
        merges: mergesByScore(vocabulary, vocabulary.isGemma ? tokens.map((_, id) => -id) : scores),
      },
    },
  };
}

/** Kinds of vocabularies by `tokenizer.ggml.model`. */
const MODELS: Readonly<Record<string, (vocabulary: Vocabulary) => Built>> = { gpt2: byteLevel, llama: sentencePiece };

/** Roles of tokens by the names that the two formats give them. */
const ROLES = { bos: 'bos', eos: 'eos', unk: 'unknown', pad: 'padding' } as const;

/** The tokens with a role, by its name in `tokenizer_config.json`. */
function rolesOf({ path, tokens, value }: Vocabulary): Record<string, string> {
  const roles: Record<string, string> = {};
  for (const [role, name] of Object.entries(ROLES)) {
    const key = `${name}_token_id`;
    const id = value(key);
    if (id === undefined) continue;
    const token = typeof id === 'number' ? tokens[id] : undefined;
    if (token === undefined) throw wrong(path, key, `an id below ${tokens.length}`, id);
    roles[`${role}_token`] = token;
  }
  return roles;
}

function flagOf({ path, value }: Vocabulary, key: string, fallback: boolean): boolean {
  const flag = value(key) ?? fallback;
  if (typeof flag === 'boolean') return flag;
  throw wrong(path, key, 'true or false', flag);
}

/**
 * A file's tokenizer as `tokenizer.json` and `tokenizer_config.json` (with the chat template where there is one).
 *
 * @throws UserError for a kind of vocabulary or a way to cut texts that is not known here, and for lists that do not belong
 * together.
 */
export function ggufTokenizer(file: GgufFile): { json: object; config: Record<string, unknown> } {
  const { path, metadata } = file;
  const model = metadata.get('tokenizer.ggml.model');
  if (typeof model !== 'string' || !Object.hasOwn(MODELS, model)) {
    throw wrong(path, 'model', Object.keys(MODELS).join(' or '), model);
  }
  const vocabulary = readVocabulary(file);
  const { json, addBos } = MODELS[model]!(vocabulary);
  const roles = rolesOf(vocabulary);
  const special = new Set(Object.values(roles));
  const { tokens, kinds } = vocabulary;
  const added = tokens.flatMap((content, id) => {
    const isSpecial = kinds[id] === CONTROL || (kinds[id] === UNKNOWN && model === 'llama') || special.has(content);
    if (content === '' || !(isSpecial || kinds[id] === USER_DEFINED)) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: isSpecial }];
  });
  const template = metadata.get('tokenizer.chat_template');
  return {
    json: { version: '1.0', truncation: null, padding: null, added_tokens: added, ...json },
    config: {
      ...roles,
      tokenizer_class: model === 'llama' ? 'LlamaTokenizer' : 'PreTrainedTokenizerFast',
      add_bos_token: flagOf(vocabulary, 'add_bos_token', addBos),
      add_eos_token: flagOf(vocabulary, 'add_eos_token', false),
      ...(typeof template === 'string' ? { chat_template: template } : {}),
    },
  };
}
