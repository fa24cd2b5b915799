/** @file Finds a folder's tokenizer: tokenizer.json, or older vocabulary files from which one is built. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { shown, UserError } from '../errors.ts';
import { bertTokenizer, bertVocabulary, withBertLetters } from './bert-tokenizer.ts';
import { CLIP_MERGES, clipTokenizer, clipVocabulary } from './clip-tokenizer.ts';
import { openGguf } from './gguf.ts';
import { ggufAt } from './gguf-place.ts';
import { ggufTokenizer } from './gguf-tokenizer.ts';
import { gpt2Tokenizer } from './gpt2-tokenizer.ts';
import { readBytes, readError, readJson, readText } from './json.ts';
import { checkTokenizerJson, checkVocabulary, isObject } from './tokenizer-check.ts';
import { BERT_VOCABULARY, OPENAI_VOCABULARY, VOCABULARY_PAIRS } from './tokenizer-names.ts';
import { utf8 } from './utf8.ts';

/** The two JSON documents that make a tokenizer. */
export interface TokenizerFiles {
  /** Where they came from, for messages. */
  path: string;
  json: Record<string, unknown>;
  config: Record<string, unknown>;
}

/** OpenAI's vocabulary file is 3.2 MB unpacked. */
const MAX_BPE_TEXT = 64 * 1024 * 1024;

async function readVocabularyText(path: string): Promise<string> {
  const bytes = await readBytes(path, 'tokenizer', MAX_BPE_TEXT);
  let unpacked = bytes;
  try {
    if (path.endsWith('.gz')) unpacked = gunzipSync(bytes, { maxOutputLength: MAX_BPE_TEXT });
  } catch (error) {
    throw new UserError(`tokenizer ${path}: cannot be unpacked: ${(error as Error).message}.`);
  }
  return utf8(unpacked, `tokenizer ${path}`);
}

const CHAT_TEMPLATE = 'chat_template.jinja';
const MAX_TEMPLATE = 4 * 1024 * 1024;

/** Merge lines of a merges file, without its `#version` line. */
function mergeLines(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.length > 0 && !line.startsWith('#version'));
}

/** Tokens of published vocabularies that no merge makes, beside special ones: RoBERTa has three. */
const MAX_UNMADE = 8;

/**
 * @throws UserError for merges that leave tokens unmade or use one before it is made: a file that was cut off or reordered
 * gives other ids without a word.
 */
function checkWhole(path: string, vocab: Record<string, number>, merges: readonly string[]): void {
  const all = new Set(merges.map((merge) => merge.replace(' ', '')));
  const made = new Set<string>();
  for (const [i, merge] of merges.entries()) {
    const early = merge.split(' ').find((part) => all.has(part) && !made.has(part));
    made.add(merge.replace(' ', ''));
    if (early === undefined) continue;
    throw new UserError(
      `tokenizer ${path}: merge ${i + 1} (${shown(merge)}): expected ${shown(early)} to be made by one before it, found it ` +
        'later: the file is not in its order.',
    );
  }
  const atomic = (token: string) => /^(<.*>|\[.*\])$/s.test(token) || [...token.replace(/<\/w>$/, '')].length <= 1;
  const unmade = Object.keys(vocab).filter((token) => !made.has(token) && !atomic(token));
  if (unmade.length <= MAX_UNMADE) return;
  throw new UserError(
    `tokenizer ${path}: expected a merge for every token of the vocabulary, found none for ${unmade.length} of them ` +
      `(${shown(unmade[0])}, …): the file is cut off or of another model.`,
  );
}

async function fromVocabulary(
  folder: string,
  files: string[],
  config: Record<string, unknown>,
): Promise<{ json: object; config: object; path: string } | undefined> {
  for (const [vocabFile, mergesFile] of VOCABULARY_PAIRS) {
    if (!files.includes(vocabFile) || !files.includes(mergesFile)) continue;
    const path = join(folder, vocabFile);
    const vocab = await readJson(path, 'tokenizer');
    if (!isObject(vocab)) throw new UserError(`tokenizer ${path}: expected an object of ids.`);
    checkVocabulary(path, vocab);
    const merges = mergeLines(await readVocabularyText(join(folder, mergesFile)));
    const ids = vocab as Record<string, number>;
    checkWhole(join(folder, mergesFile), ids, merges);
    const build = Object.hasOwn(ids, '<|startoftext|>') && Object.hasOwn(ids, 'a</w>') ? clipTokenizer : gpt2Tokenizer;
    return { ...build(ids, merges), path };
  }
  if (files.includes(BERT_VOCABULARY)) {
    const path = join(folder, BERT_VOCABULARY);
    const model = files.includes('config.json') ? await readJson(join(folder, 'config.json'), 'tokenizer') : {};
    const rows = isObject(model) ? model['vocab_size'] : undefined;
    const vocab = bertVocabulary(path, await readVocabularyText(path), rows);
    return { ...bertTokenizer(path, vocab, config), path };
  }
  const openai = [...files].sort().find((file) => OPENAI_VOCABULARY.test(file));
  if (openai === undefined) return undefined;
  const path = join(folder, openai);
  const { vocab, merges } = clipVocabulary(await readVocabularyText(path));
  if (merges.length < CLIP_MERGES) {
    throw new UserError(
      `tokenizer ${path}: expected ${CLIP_MERGES} merges or more, found ${merges.length}: the file is cut off.`,
    );
  }
  return { ...clipTokenizer(vocab, merges), path };
}

/**
 * The tokenizer documents of a folder: `tokenizer.json` (with `tokenizer_config.json` where present), else built from
 * `vocab.json` + `merges.txt`, `encoder.json` + `vocab.bpe`, BERT's `vocab.txt`, or OpenAI CLIP's `bpe_simple_vocab_16e6.txt[.gz]`; of a GGUF
 * file, or a folder that holds one, from its metadata.
 *
 * @throws UserError when the folder has none of them or one is malformed.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const gguf = await ggufAt(folder);
  if (gguf !== undefined) {
    const { json, config } = ggufTokenizer(await openGguf(gguf));
    return { path: gguf, json: checkTokenizerJson(gguf, json), config };
  }
  let files: string[];
  try {
    files = await readdir(folder);
  } catch (error) {
    throw readError('tokenizer', folder, error);
  }
  const configPath = join(folder, 'tokenizer_config.json');
  const config = files.includes('tokenizer_config.json') ? await readJson(configPath, 'tokenizer') : {};
  if (!isObject(config)) throw new UserError(`tokenizer ${configPath}: expected an object.`);
  // Newer folders have it beside the config; transformers lets it win.
  if (files.includes(CHAT_TEMPLATE)) {
    config['chat_template'] = await readText(join(folder, CHAT_TEMPLATE), 'tokenizer', MAX_TEMPLATE);
  }
  if (files.includes('tokenizer.json')) {
    const path = join(folder, 'tokenizer.json');
    const json = checkTokenizerJson(path, await readJson(path, 'tokenizer'));
    return { path, json: withBertLetters(path, json, config), config };
  }
  const built = await fromVocabulary(folder, files, config);
  if (built === undefined) {
    throw new UserError(
      `tokenizer ${folder}: expected tokenizer.json (or vocab.json with merges.txt, or vocab.txt), found none: copy it from the model's page.`,
    );
  }
  return { path: built.path, json: checkTokenizerJson(built.path, built.json), config: { ...built.config, ...config } };
}
