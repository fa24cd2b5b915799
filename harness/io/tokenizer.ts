/** @file The tokenizer of a Hugging Face folder: ids, character spans, special tokens. */

import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { shown, UserError } from '../errors.ts';
import { TIMED_OUT, timeLimit } from './time-limit.ts';
import { tokenOffsets, tokenSpelling } from './token-offsets.ts';
import { hasOwnRegex } from './tokenizer-check.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';
import { agreeingStages } from './tokenizer-stages.ts';

/** How to encode. */
export interface EncodeOptions {
  /** Put BOS/EOS around the text as the model was trained. Default true. */
  addSpecialTokens?: boolean;
  /** Cut the text's tokens so that all ids, special ones included, are at most this many. Special tokens stay. */
  maxLength?: number;
}

/** An encoded text. */
export interface Encoded {
  ids: number[];
  /**
   * `[start, end)` in UTF-16 units of the text for each id; `[0, 0]` for special tokens that were put around it.
   * Computed when first read: encoding alone costs nothing for it.
   */
  readonly offsets: [number, number][];
}

/** A loaded tokenizer. */
export interface Tokenizer {
  /** The file it came from. */
  path: string;
  encode(text: string, options?: EncodeOptions): Encoded;
  /** Text of ids; special tokens are left out where asked (default false). */
  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string;
  /** The vocabulary's string of an id (`Ġthe`, `▁the`, `the</w>`), undefined for an unknown id. */
  token(id: number): string | undefined;
  /** The id of a vocabulary string. */
  id(token: string): number | undefined;
  /** Largest id + 1. A model's embedding may have more rows. */
  vocabSize: number;
  /** Absent where the tokenizer has none. */
  bosId?: number;
  eosId?: number;
  padId?: number;
  unkId?: number;
  /** Ids of all special tokens, also those without a role. */
  specialIds: ReadonlySet<number>;
  /** `model_max_length` of the config where it is a real bound (below 10^9). */
  maxLength?: number;
}

/** Classes whose `add_bos_token: false` takes the template's BOS away, as HF's own loaders do. */
const BOS_SWITCHED = /^(Llama|CodeLlama|Gemma)Tokenizer(Fast)?$/;

function roleToken(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : undefined;
}

/** The ids of the tokens with a role that config (or model) names. */
type Roles = Partial<Record<'bos' | 'eos' | 'pad' | 'unk', number>>;

/** The special ids before and after a text: what the post-processor adds, then what the config switches. */
function surroundings(library: HuggingFaceTokenizer, config: Record<string, unknown>, special: Roles) {
  const plain: number[] = library.encode('a', { add_special_tokens: false }).ids;
  const full: number[] = library.encode('a', { add_special_tokens: true }).ids;
  let at = 0;
  while (at + plain.length < full.length && !plain.every((id, i) => full[at + i] === id)) at += 1;
  const before = full.slice(0, at);
  const after = full.slice(at + plain.length);
  const switched = BOS_SWITCHED.test(typeof config['tokenizer_class'] === 'string' ? config['tokenizer_class'] : '');
  if (special.bos !== undefined) {
    if (config['add_bos_token'] === true && before[0] !== special.bos) before.unshift(special.bos);
    if (config['add_bos_token'] === false && switched && before[0] === special.bos) before.shift();
  }
  if (special.eos !== undefined) {
    if (config['add_eos_token'] === true && after.at(-1) !== special.eos) after.push(special.eos);
    if (config['add_eos_token'] === false && switched && after.at(-1) === special.eos) after.pop();
  }
  return { before, after };
}

/** A text takes milliseconds; an expression that backtracks takes for ever. */
const MAX_ENCODE_MS = 4000;

/** Calls the library, which throws what it likes on a document that it cannot use. */
function libraryCalls(path: string, json: Record<string, unknown>): <T>(what: string, call: () => T) => T {
  const limited = hasOwnRegex(json) ? timeLimit(MAX_ENCODE_MS) : <T>(call: () => T) => call();
  return (what, call) => {
    try {
      return limited(call);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason =
        code === TIMED_OUT ? `one of its regular expressions took over ${MAX_ENCODE_MS / 1000} s` : message;
      throw new UserError(`tokenizer ${path}: ${what}: ${reason}.`);
    }
  };
}

/**
 * Make a tokenizer from its two documents. See {@link loadTokenizer}.
 *
 * @param path For messages.
 */
export function makeTokenizer(path: string, json: Record<string, unknown>, config: Record<string, unknown>): Tokenizer {
  const guarded = libraryCalls(path, json);
  const stages = agreeingStages(path, json);
  const library = guarded('not a tokenizer that can be read', () => new HuggingFaceTokenizer(stages, config));
  const spelling = tokenSpelling(json);
  const special: Roles = {};
  for (const role of ['bos', 'eos', 'pad', 'unk'] as const) {
    const token = roleToken(config[`${role}_token`]) ?? (role === 'unk' ? spelling.unknown : undefined);
    const id = token === undefined ? undefined : library.token_to_id(token);
    if (id !== undefined) special[role] = id;
  }
  const added = json['added_tokens'] as { id: number; special?: boolean }[];
  const specialIds = new Set([
    ...added.filter((token) => token.special).map((token) => token.id),
    ...Object.values(special),
  ]);
  const { before, after } = guarded('its special tokens cannot be told', () => surroundings(library, config, special));
  const tokens = [...library.get_vocab().values()];
  const vocabSize = tokens.reduce((most, id) => Math.max(most, id + 1), 0);
  const limit = typeof config['model_max_length'] === 'number' ? config['model_max_length'] : Number.NaN;

  return {
    path,
    vocabSize,
    ...(special.bos === undefined ? {} : { bosId: special.bos }),
    ...(special.eos === undefined ? {} : { eosId: special.eos }),
    ...(special.pad === undefined ? {} : { padId: special.pad }),
    ...(special.unk === undefined ? {} : { unkId: special.unk }),
    specialIds,
    ...(limit > 0 && limit < 1e9 ? { maxLength: limit } : {}),
    token: (id) => library.id_to_token(id),
    id: (token) => library.token_to_id(token),
    encode(text, options = {}) {
      const { addSpecialTokens = true, maxLength = Number.POSITIVE_INFINITY } = options;
      const { ids: all, tokens: names } = guarded('a text cannot be cut into tokens', () =>
        library.encode(text, { add_special_tokens: false }),
      );
      // A text that says it itself, as chat templates do, has no second one.
      const said = special.bos !== undefined && all[0] === special.bos && before.at(-1) === special.bos;
      const [start, end] = addSpecialTokens ? [said ? before.slice(0, -1) : before, after] : [[], []];
      const kept = Math.max(0, Math.min(all.length, maxLength - start.length - end.length));
      const content = kept < all.length ? all.slice(0, kept) : all;
      const missing = content.indexOf(undefined as unknown as number);
      if (missing >= 0) {
        throw new UserError(
          `tokenizer ${path}: ${shown(names[missing])} is not in the vocabulary, and there is no unknown token.`,
        );
      }
      const ids = [...start, ...content, ...end];
      let spans: [number, number][] | undefined;
      return {
        ids,
        get offsets() {
          const none = (list: number[]) => list.map((): [number, number] => [0, 0]);
          spans ??= [...none(start), ...tokenOffsets(text, names, spelling).slice(0, kept), ...none(end)];
          return spans;
        },
      };
    },
    decode(ids, { skipSpecialTokens = false } = {}) {
      const wanted = Array.from(ids).filter((id) => !(skipSpecialTokens && specialIds.has(id)));
      if (wanted.length === 0) return '';
      const text = guarded('ids cannot be made a text', () =>
        library.decode(wanted, {
          skip_special_tokens: skipSpecialTokens,
          // The library's default rewrites " ." to "."; HF's own default since version 5 leaves the text as it is.
          clean_up_tokenization_spaces: config['clean_up_tokenization_spaces'] === true,
        }),
      );
      return spelling.suffix ? text.trim() : text;
    },
  };
}

/**
 * Load the tokenizer of a folder: `tokenizer.json` with `tokenizer_config.json`, or older vocabulary files (GPT-2's
 * and CLIP's), or of a GGUF file, see {@link readTokenizerFiles}.
 *
 * @throws UserError when there is none or it cannot be read.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const { path, json, config } = await readTokenizerFiles(folder);
  return makeTokenizer(path, json, config);
}
