/**
 * @file Checks a tokenizer.json before the tokenizer library sees it: the form of every stage, and bounds on what a small
 * file could make of memory and time.
 */

import { shown, UserError } from '../errors.ts';
import { GGUF_PATTERNS } from './gguf-pre-tokenizers.ts';

type Json = Record<string, unknown>;

/** Ids index arrays: one absurd id in a small file would allocate gigabytes. Gemma's 262,144 is the largest known. */
const MAX_VOCABULARY = 4_000_000;
/** Longest token. Published vocabularies stay below 300. */
const MAX_TOKEN = 4096;
/** Characters of a Unigram vocabulary: each may be a node of its trie. XLM-R's has 1.6 million. */
const MAX_UNIGRAM_CHARS = 4_000_000;
/** Stages of one kind; published tokenizers have up to ten. */
const MAX_STAGES = 64;
/** Times that replacements one after another may lengthen a text. Published ones do not lengthen it. */
const MAX_GROWTH = 64;
/** WordPiece tries every part of a word. BERT's own value is 100. */
const MAX_WORD = 1000;

/** Where each kind of stage keeps those that it is made of. */
const NESTED: Readonly<Record<string, string>> = {
  normalizer: 'normalizers',
  pre_tokenizer: 'pretokenizers',
  post_processor: 'processors',
  decoder: 'decoders',
};

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isText = (value: unknown): value is string => typeof value === 'string';

function fail(path: string, field: string, expected: string, found: unknown): never {
  throw new UserError(`tokenizer ${path}: ${field}: expected ${expected}, found ${shown(found)}.`);
}

function checkId(path: string, token: string, id: unknown): void {
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_VOCABULARY) {
    fail(path, `token ${shown(token)}`, `an id from 0 to ${MAX_VOCABULARY - 1}`, id);
  }
}

function checkToken(path: string, token: string): void {
  if (token.length > MAX_TOKEN) fail(path, 'model.vocab', `tokens of at most ${MAX_TOKEN} characters`, token);
}

/** The pairs of a Unigram vocabulary. */
function checkUnigram(path: string, vocab: unknown[]): void {
  let characters = 0;
  for (const entry of vocab) {
    const [token, score] = Array.isArray(entry) ? entry : [];
    if (!isText(token) || typeof score !== 'number') fail(path, 'model.vocab', 'pairs of a token and its score', entry);
    checkToken(path, token);
    characters += token.length;
  }
  if (vocab.length > MAX_VOCABULARY || characters > MAX_UNIGRAM_CHARS) {
    throw new UserError(
      `tokenizer ${path}: expected at most ${MAX_VOCABULARY} tokens of ${MAX_UNIGRAM_CHARS} characters together, found ${vocab.length} of ${characters}.`,
    );
  }
}

/** A vocabulary is an object of ids, or (Unigram) a list of [token, score]. @throws UserError naming the token. */
export function checkVocabulary(path: string, vocab: unknown): void {
  if (Array.isArray(vocab)) {
    checkUnigram(path, vocab);
    return;
  }
  if (!isObject(vocab)) throw new UserError(`tokenizer ${path}: expected an object model.vocab of ids.`);
  const tokens = new Map<unknown, string>();
  for (const [token, id] of Object.entries(vocab)) {
    checkToken(path, token);
    checkId(path, token, id);
    const other = tokens.get(id);
    if (other !== undefined) fail(path, `token ${shown(token)}`, `an id of its own, not that of ${shown(other)}`, id);
    tokens.set(id, token);
  }
}

/**
 * Merges are all `"a b"` or all `["a", "b"]`, of tokens that the vocabulary has and into one that it has: others are of
 * another vocabulary.
 */
function checkMerges(path: string, merges: unknown, vocab: Json, prefix: unknown): Set<string> {
  if (!Array.isArray(merges)) fail(path, 'model.merges', 'a list', merges);
  const pairs = Array.isArray(merges[0]);
  for (const [i, merge] of merges.entries()) {
    const parts: unknown = pairs ? merge : isText(merge) ? merge.split(' ') : undefined;
    if (!Array.isArray(parts) || parts.length !== 2 || !parts.every((part) => isText(part) && part !== '')) {
      fail(path, `model.merges[${i}]`, 'two tokens, as all other merges are written', merge);
    }
  }
  const all = new Set<string>();
  for (const [i, merge] of merges.entries()) {
    const [left, right] = (pairs ? merge : merge.split(' ')) as [string, string];
    const begin = isText(prefix) ? prefix : '';
    const made = left + (right.startsWith(begin) ? right.slice(begin.length) : right);
    const unknown = [left, right, made].find((token) => !Object.hasOwn(vocab, token));
    all.add(made);
    if (unknown === undefined) continue;
    fail(path, `model.merges[${i}]`, 'tokens of model.vocab, in a merge and as what it makes', unknown);
  }
  return all;
}

/** Bytes that have a token of their own for want of another, and llama.cpp's names of ids without a token. */
const UNMERGED = /^(<0x[0-9A-F]{2}>|\[PAD\d+\])$/;
/** Share of the longer tokens that no merge may make. Published vocabularies have none, but for those that were added by hand. */
const MAX_UNMADE = 0.1;

/**
 * Every token of several characters is made by a merge, or added: where many are not, the list was cut off, and texts would get
 * other ids without a word.
 */
function checkReach(
  path: string,
  { vocab, end_of_word_suffix: end }: Json,
  made: ReadonlySet<string>,
  added: unknown,
): void {
  if (made.size === 0 || !isObject(vocab)) return;
  const apart = new Set(
    Array.isArray(added) ? added.map((token) => (isObject(token) ? token['content'] : undefined)) : [],
  );
  const suffix = isText(end) ? end : '';
  const bare = (token: string) => (suffix !== '' && token.endsWith(suffix) ? token.slice(0, -suffix.length) : token);
  const longer = Object.keys(vocab).filter(
    (token) => [...bare(token)].length > 1 && !apart.has(token) && !UNMERGED.test(token),
  );
  const unmade = longer.filter((token) => !made.has(token));
  if (unmade.length <= MAX_UNMADE * longer.length) return;
  throw new UserError(
    `tokenizer ${path}: model.merges: expected merges that make the ${longer.length} longer tokens of model.vocab, found ${made.size}; ` +
      `none makes ${shown(unmade[0])} and ${unmade.length - 1} others: was the list cut off?`,
  );
}

function checkModel(path: string, model: Json, added: unknown): void {
  const { type, vocab, merges, unk_token, unk_id, max_input_chars_per_word: longest = 100 } = model;
  if (type !== undefined && !isText(type)) fail(path, 'model.type', 'a text', type);
  checkVocabulary(path, vocab);
  const lists = type === 'Unigram' || (type === undefined && Array.isArray(vocab));
  if (lists !== Array.isArray(vocab)) fail(path, 'model.vocab', `what ${type ?? 'this model'} has`, vocab);
  if (type === 'BPE' || merges !== undefined) {
    const made = checkMerges(path, merges, isObject(vocab) ? vocab : {}, model['continuing_subword_prefix']);
    checkReach(path, model, made, added);
  }
  if (unk_token !== undefined && unk_token !== null && !isText(unk_token)) {
    fail(path, 'model.unk_token', 'a text or null', unk_token);
  }
  if (lists) {
    const known = Number.isInteger(unk_id) && (unk_id as number) >= 0 && (unk_id as number) < (vocab as []).length;
    if (!known && unk_id !== undefined && unk_id !== null)
      fail(path, 'model.unk_id', 'a place in the vocabulary', unk_id);
  }
  for (const field of ['end_of_word_suffix', 'continuing_subword_prefix', 'continuing_subword_suffix']) {
    const value = model[field] ?? '';
    if (!isText(value) || value.length > MAX_GROWTH)
      fail(path, `model.${field}`, `at most ${MAX_GROWTH} characters`, value);
  }
  if (!(Number.isInteger(longest) && (longest as number) > 0 && (longest as number) <= MAX_WORD)) {
    fail(path, 'model.max_input_chars_per_word', `a whole number from 1 to ${MAX_WORD}`, longest);
  }
}

/** Every stage of one kind, sequences flattened, as far as their form allows. */
function stagesOf(path: string, field: string, node: unknown, nested: string): Json[] {
  if (!isObject(node) || !isText(node['type'])) fail(path, field, 'an object with a text type', node);
  if (node['type'] !== 'Sequence') return [node];
  const parts = node[nested];
  if (!Array.isArray(parts)) fail(path, `${field}.${nested}`, 'a list', parts);
  const all = parts.flatMap((part, i) => stagesOf(path, `${field}.${nested}[${i}]`, part, nested));
  if (all.length > MAX_STAGES) {
    throw new UserError(`tokenizer ${path}: ${field}: expected at most ${MAX_STAGES} stages, found ${all.length}.`);
  }
  return all;
}

/** A pattern that a stage looks for; undefined where the stage has none. */
function patternOf(path: string, field: string, stage: Json): { String?: string; Regex?: string } | undefined {
  const { type, pattern } = stage;
  if (pattern === undefined && type !== 'Replace' && type !== 'Split') return undefined;
  if (isObject(pattern) && (isText(pattern['String']) || isText(pattern['Regex']))) return pattern;
  // Of Metaspace and Punctuation, a plain text.
  if (isText(pattern) && type !== 'Replace' && type !== 'Split') return undefined;
  return fail(path, `${field}: ${shown(type)}: pattern`, '{ "String": … } or { "Regex": … }', pattern);
}

function checkTemplate(path: string, field: string, stage: Json): void {
  for (const part of ['single', 'pair']) {
    const items = stage[part];
    const fits = (item: unknown) => {
      const { SpecialToken: token, Sequence: sequence } = isObject(item) ? item : {};
      return isObject(token) ? isText(token['id']) : isObject(sequence) && isText(sequence['id']);
    };
    if (!Array.isArray(items) || items.length > MAX_STAGES || !items.every(fits)) {
      fail(
        path,
        `${field}: TemplateProcessing: ${part}`,
        `a list of up to ${MAX_STAGES} special tokens and sequences`,
        items,
      );
    }
  }
}

/** Times that a stage can lengthen a text. */
function growthOf(path: string, field: string, stage: Json): number {
  const { type, content = '', prepend = '', replacement = '', length } = stage;
  for (const [name, value] of Object.entries({ content, prepend, replacement })) {
    if (!isText(value) || value.length > MAX_TOKEN) {
      fail(path, `${field}: ${shown(type)}: ${name}`, `a text of at most ${MAX_TOKEN} characters`, value);
    }
  }
  const pattern = patternOf(path, field, stage);
  if (type === 'TemplateProcessing') checkTemplate(path, field, stage);
  if (type === 'FixedLength' && !(Number.isInteger(length) && (length as number) > 0)) {
    fail(path, `${field}: FixedLength: length`, 'a whole number above 0', length);
  }
  for (const name of ['sep', 'cls']) {
    const pair = stage[name];
    if (pair === undefined) continue;
    if (!Array.isArray(pair) || !isText(pair[0]))
      fail(path, `${field}: ${shown(type)}: ${name}`, 'a token and its id', pair);
  }
  if (type !== 'Replace') return 1;
  const replaced = pattern?.String ?? '';
  // An expression, or an empty text, can match between any two characters.
  return replaced === '' ? 1 + (content as string).length : Math.max(1, (content as string).length / replaced.length);
}

function checkStages(path: string, json: Json): void {
  for (const [field, nested] of Object.entries(NESTED)) {
    if (json[field] === null || json[field] === undefined) continue;
    const stages = stagesOf(path, field, json[field], nested);
    const growth = stages.reduce((product, stage) => product * growthOf(path, field, stage), 1);
    if (growth > MAX_GROWTH) {
      throw new UserError(
        `tokenizer ${path}: ${field}: its replacements can make a text ${Math.round(growth)} times as long, expected at most ${MAX_GROWTH} times.`,
      );
    }
  }
}

/**
 * Checks a tokenizer.json document.
 *
 * @returns It, with the stages that old files leave out.
 * @throws UserError naming the field, what was expected and what was found.
 */
export function checkTokenizerJson(path: string, json: unknown): Json {
  if (!isObject(json) || !isObject(json['model'])) {
    throw new UserError(`tokenizer ${path}: expected an object with a field model.`);
  }
  checkModel(path, json['model'], json['added_tokens']);
  checkStages(path, json);
  const added = json['added_tokens'] ?? [];
  if (!Array.isArray(added)) fail(path, 'added_tokens', 'a list', added);
  for (const token of added) {
    if (!isObject(token) || !isText(token['content']) || token['content'] === '') {
      fail(path, 'added_tokens', 'objects with a text content', token);
    }
    checkToken(path, token['content']);
    checkId(path, token['content'], token['id']);
  }
  const stages = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  return { ...stages, ...json, added_tokens: added };
}

/** Expressions that are known to take time in proportion to the text. */
const KNOWN: ReadonlySet<string> = new Set([
  ...GGUF_PATTERNS,
  '\\s+',
  ' {2,}',
  '[ ]{2,}',
  "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
  '\\n| ?\\p{L}+| ?\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s',
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
]);

/** Behaviours of Split that take the expression as it is; the others put a repetition around it. */
const PLAIN_CUTS: ReadonlySet<unknown> = new Set(['Isolated', 'Removed']);

/** Whether a checked document brings an expression of its own, which could take for ever on a text. */
export function hasOwnRegex(json: Json): boolean {
  return Object.entries(NESTED).some(([field, nested]) => {
    if (json[field] === null || json[field] === undefined) return false;
    return stagesOf('', field, json[field], nested).some((stage) => {
      const regex = isObject(stage['pattern']) ? stage['pattern']['Regex'] : undefined;
      return isText(regex) && !(KNOWN.has(regex) && PLAIN_CUTS.has(stage['behavior'] ?? 'Isolated'));
    });
  });
}
