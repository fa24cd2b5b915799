/** @file How a text encoder's folder says that a text becomes one vector: the files of sentence-transformers. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../harness/contract.ts';
import { readJson, shown } from '../../harness/kit/index.ts';
import { type ConfigReader, configReader } from './config.ts';

/** From the states of a text's tokens to its embedding. */
export interface TextPooling {
  /** The mean over the text's tokens, special ones included, or the state of the first. */
  mode: 'mean' | 'cls';
  /** Whether the embedding is scaled to length 1. */
  unit: boolean;
  /** Longest text in ids, special ones included, where the folder bounds it below the model's own length. */
  maxLength?: number;
}

/** What folders of a bare model get: what most sentence embedders are trained with. */
const DEFAULT: TextPooling = { mode: 'mean', unit: true };

/** What `1_Pooling/config.json` may ask for, and what is computed here. */
const MODES = { pooling_mode_mean_tokens: 'mean', pooling_mode_cls_token: 'cls' } as const;

async function readIfThere(path: string): Promise<unknown> {
  // A link to nothing is there, and not to be read: its folder says something that is not known.
  const there = await lstat(path).then(
    () => true,
    () => false,
  );
  return there ? readJson(path, 'subject') : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields of a file of the folder; none where it is absent. */
async function readFields(folder: string, name: string): Promise<ConfigReader> {
  const path = join(folder, name);
  const json = (await readIfThere(path)) ?? {};
  if (!isObject(json)) throw new UserError(`subject: ${path}: expected a JSON object, found ${shown(json)}.`);
  return configReader(json, `subject ${folder}: ${name}`);
}

/** The one mode that a pooling's config asks for. */
async function readMode(path: string): Promise<TextPooling['mode']> {
  const config = await readJson(path, 'subject');
  if (!isObject(config)) throw new UserError(`subject: ${path}: expected a JSON object.`);
  // Newer files name the mode in place of a flag for each.
  const named = config['pooling_mode'] === undefined ? [] : [config['pooling_mode']].flat().map((name) => String(name));
  const flags = Object.keys(config).filter((name) => /^pooling_mode_/.test(name) && config[name] === true);
  const short = Object.fromEntries(Object.entries(MODES).map(([flag, mode]) => [flag, mode]));
  const asked = [...named, ...flags.map((flag) => short[flag] ?? flag)];
  const [mode] = asked;
  if (asked.length === 1 && (mode === 'mean' || mode === 'cls')) return mode;
  const known = Object.keys(MODES).join(' or ');
  throw new UserError(
    `subject: ${path}: expected one pooling, ${known}, which alone are computed here; found ${asked.join(', ') || 'none'}.`,
  );
}

/**
 * The pooling that a folder's `modules.json` describes; without one the mean over the tokens, scaled to length 1.
 *
 * @throws UserError for modules that are not computed here, such as a dense layer, and for texts that are changed before the
 * tokenizer sees them: without them the embeddings would be another model's.
 */
export async function readPooling(folder: string): Promise<TextPooling> {
  const reader = await readFields(folder, 'sentence_bert_config.json');
  // A text would be written in small letters before the tokenizer sees it.
  reader.fixed('do_lower_case', false);
  // What would be put before every text.
  (await readFields(folder, 'config_sentence_transformers.json')).none('default_prompt_name');
  const length = reader.has('max_seq_length') ? { maxLength: reader.size('max_seq_length') } : {};
  const path = join(folder, 'modules.json');
  const modules = await readIfThere(path);
  if (modules === undefined) return { ...DEFAULT, ...length };
  if (!Array.isArray(modules)) throw new UserError(`subject: ${path}: expected a list of modules.`);
  const kinds = modules.map((module: unknown) => {
    const { type, path: place } = isObject(module) ? module : {};
    if (typeof type !== 'string' || typeof place !== 'string' || /[/\\]|^\.\.?$/.test(place)) {
      throw new UserError(
        `subject: ${path}: expected modules with a type and a folder of their own, found ${shown(module)}.`,
      );
    }
    return { kind: type.split('.').at(-1)!, place };
  });
  const names = kinds.map(({ kind }) => kind).join(', ');
  const [first, pooling, last, ...others] = kinds;
  const fits =
    first?.kind === 'Transformer' && first.place === '' && pooling?.kind === 'Pooling' && others.length === 0;
  if (!fits || (last && last.kind !== 'Normalize')) {
    throw new UserError(
      `subject: ${path}: expected the modules Transformer, Pooling and, perhaps, Normalize; found ${names}.`,
    );
  }
  // Other places are no part of a model's fingerprint, by which stored results are found again.
  if (!/^\d+_Pooling$/.test(pooling.place)) {
    throw new UserError(`subject: ${path}: expected the module Pooling at 1_Pooling, found ${shown(pooling.place)}.`);
  }
  return { mode: await readMode(join(folder, pooling.place, 'config.json')), unit: last !== undefined, ...length };
}
