/** @file Finds a folder's tokenizer: tokenizer.json, or older vocabulary files from which one is built. Checks bounds. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UserError } from '../errors.ts';
import { clipTokenizer, clipVocabulary } from './clip-tokenizer.ts';
import { gpt2Tokenizer } from './gpt2-tokenizer.ts';
import { readError, readJson } from './json.ts';

/** The two JSON documents that make a tokenizer. */
export interface TokenizerFiles {
  /** Where they came from, for messages. */
  path: string;
  json: Record<string, unknown>;
  config: Record<string, unknown>;
}

/** Ids index arrays: one absurd id in a small file would allocate gigabytes. Gemma's 262,144 is the largest known. */
const MAX_VOCABULARY = 4_000_000;
/** OpenAI's vocabulary file is 3.2 MB unpacked. */
const MAX_BPE_TEXT = 64 * 1024 * 1024;

/** Older pairs of vocabulary and merges. */
const PAIRS: readonly [string, string][] = [
  ['vocab.json', 'merges.txt'],
  ['encoder.json', 'vocab.bpe'],
];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkId(path: string, token: string, id: unknown): void {
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_VOCABULARY) {
    throw new UserError(
      `tokenizer ${path}: token ${JSON.stringify(token)}: expected an id from 0 to ${MAX_VOCABULARY - 1}, found ${JSON.stringify(id)}.`,
    );
  }
}

/** A vocabulary is an object of ids, or (Unigram) a list of [token, score]. */
function checkVocabulary(path: string, vocab: unknown): void {
  if (Array.isArray(vocab)) {
    if (vocab.length > MAX_VOCABULARY) {
      throw new UserError(`tokenizer ${path}: expected at most ${MAX_VOCABULARY} tokens, found ${vocab.length}.`);
    }
    return;
  }
  if (!isObject(vocab)) throw new UserError(`tokenizer ${path}: expected an object model.vocab of ids.`);
  for (const [token, id] of Object.entries(vocab)) checkId(path, token, id);
}

function checkTokenizerJson(path: string, json: unknown): Record<string, unknown> {
  if (!isObject(json) || !isObject(json['model'])) {
    throw new UserError(`tokenizer ${path}: expected an object with a field model.`);
  }
  checkVocabulary(path, json['model']['vocab']);
  const added = json['added_tokens'] ?? [];
  if (!Array.isArray(added)) throw new UserError(`tokenizer ${path}: expected a list added_tokens.`);
  for (const token of added) {
    if (!isObject(token) || typeof token['content'] !== 'string') {
      throw new UserError(
        `tokenizer ${path}: expected added_tokens with a string content, found ${JSON.stringify(token)}.`,
      );
    }
    checkId(path, token['content'], token['id']);
  }
  // Files of old versions leave out the stages that they do not use.
  const stages = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  return { ...stages, ...json, added_tokens: added };
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    const text = path.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: MAX_BPE_TEXT }) : bytes;
    return text.toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw readError('tokenizer', path, error);
    throw new UserError(`tokenizer ${path}: cannot be unpacked: ${(error as Error).message}.`);
  }
}

/** Merge lines of a merges file, without its `#version` line. */
function mergeLines(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.length > 0 && !line.startsWith('#version'));
}

async function fromVocabulary(
  folder: string,
  files: string[],
): Promise<{ json: object; config: object; path: string } | undefined> {
  for (const [vocabFile, mergesFile] of PAIRS) {
    if (!files.includes(vocabFile) || !files.includes(mergesFile)) continue;
    const path = join(folder, vocabFile);
    const vocab = await readJson(path, 'tokenizer');
    if (!isObject(vocab)) throw new UserError(`tokenizer ${path}: expected an object of ids.`);
    checkVocabulary(path, vocab);
    const merges = mergeLines(await readText(join(folder, mergesFile)));
    const ids = vocab as Record<string, number>;
    const build = Object.hasOwn(ids, '<|startoftext|>') && Object.hasOwn(ids, 'a</w>') ? clipTokenizer : gpt2Tokenizer;
    return { ...build(ids, merges), path };
  }
  const openai = files.find((file) => /^bpe_simple_vocab_16e6\.txt(\.gz)?$/.test(file));
  if (openai === undefined) return undefined;
  const path = join(folder, openai);
  const { vocab, merges } = clipVocabulary(await readText(path));
  return { ...clipTokenizer(vocab, merges), path };
}

/**
 * The tokenizer documents of a folder: `tokenizer.json` (with `tokenizer_config.json` where present), else built from
 * `vocab.json` + `merges.txt`, `encoder.json` + `vocab.bpe`, or OpenAI CLIP's `bpe_simple_vocab_16e6.txt[.gz]`.
 *
 * @throws UserError when the folder has none of them or one is malformed.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  let files: string[];
  try {
    files = await readdir(folder);
  } catch (error) {
    throw readError('tokenizer', folder, error);
  }
  const configPath = join(folder, 'tokenizer_config.json');
  const config = files.includes('tokenizer_config.json') ? await readJson(configPath, 'tokenizer') : {};
  if (!isObject(config)) throw new UserError(`tokenizer ${configPath}: expected an object.`);
  if (files.includes('tokenizer.json')) {
    const path = join(folder, 'tokenizer.json');
    return { path, json: checkTokenizerJson(path, await readJson(path, 'tokenizer')), config };
  }
  const built = await fromVocabulary(folder, files);
  if (built === undefined) {
    throw new UserError(
      `tokenizer ${folder}: expected tokenizer.json (or vocab.json with merges.txt), found neither: copy it from the model's page.`,
    );
  }
  return { path: built.path, json: checkTokenizerJson(built.path, built.json), config: { ...built.config, ...config } };
}
