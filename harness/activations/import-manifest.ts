/** @file `activations.json`: what a folder of activations dumped elsewhere holds; written by the user or inferred. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../errors.ts';
import { readError, readJson } from '../io/json.ts';
import type { ImportManifest } from '../schema/activations.generated.ts';
import { validate } from '../schema/validate.ts';
import { partsInOrder } from './import-order.ts';

export type { ImportManifest, ZeroShotLabels } from '../schema/activations.generated.ts';

/** A manifest with the files of the folder that it does not use. */
export interface FoundManifest extends ImportManifest {
  ignored: string[];
}

const MANIFEST = 'activations.json';
/** Endings of a file with one label or group an item, in the order in which they are listed. */
const COLUMN_FILE = /\.(txt|csv|json|npy)$/;
const ARRAY_FILE = /\.(npy|npz|safetensors)$/;

/** @throws UserError unless it is a plain name, so that a manifest cannot reach outside of its folder. */
function checkName(where: string, name: string): void {
  if (basename(name) === name && !name.includes('\\') && name !== '..') return;
  throw new UserError(
    `${where}: expected the name of a file in the same folder, found ${JSON.stringify(name.slice(0, 80))}.`,
  );
}

/** Fields of a manifest that name one file each. */
const ROW_FILES = [
  ...(['groups', 'embeddings', 'split', 'bounds', 'keep', 'tokenIds', 'positions', 'texts', 'offsets'] as const),
];

/** Names of all files that a manifest uses, by field. */
function usedFiles({ files, labels, ...others }: ImportManifest): [string, string][] {
  const named = ROW_FILES.map((field) => [field, others[field]] as const);
  const ofLabels = typeof labels === 'object' ? [labels.prompts, labels.map] : [labels];
  return [
    ...files.map((file, i): [string, string] => [`files[${i}]`, file]),
    ...ofLabels.flatMap((file): [string, string][] => (file === undefined ? [] : [['labels', file]])),
    ...named.flatMap(([field, file]): [string, string][] => (file === undefined ? [] : [[field, file]])),
  ];
}

async function readGiven(path: string): Promise<ImportManifest> {
  const where = `activations ${path}`;
  const manifest = await validate('activations', await readJson(path, 'activations'), where);
  for (const [field, name] of usedFiles(manifest)) checkName(`${where}: ${field}`, name);
  return manifest;
}

/** The one file that is called `stem`, whatever its ending. */
function columnFile(folder: string, names: readonly string[], stem: string): string | undefined {
  const found = names.filter((name) => name.replace(COLUMN_FILE, '') === stem && COLUMN_FILE.test(name));
  if (found.length > 1) {
    throw new UserError(
      `activations ${folder}: ${found.join(' and ')} both look like the ${stem}; say which in ${MANIFEST}: "${stem}": "${found[0]}".`,
    );
  }
  return found[0];
}

/** CLIP embeddings of images and prompts, to be labelled zero-shot. */
const ZERO_SHOT: ImportManifest = {
  files: ['image_embeddings.npy'],
  labels: { prompts: 'prompt_embeddings.npy', map: 'prompt_map.json' },
  site: 'vision.embed',
  modality: 'image',
};

function infer(folder: string, names: readonly string[]): ImportManifest {
  if (usedFiles(ZERO_SHOT).every(([, name]) => names.includes(name))) return ZERO_SHOT;
  const found = {
    labels: columnFile(folder, names, 'labels'),
    groups: columnFile(folder, names, 'groups'),
    embeddings: names.find((name) => name === 'embeddings.npy'),
    bounds: names.find((name) => name === 'bounds.npy'),
    split: names.find((name) => name === 'split.json'),
  };
  const others = Object.fromEntries(Object.entries(found).filter(([, name]) => name !== undefined));
  const taken = Object.values(others);
  const arrays = names.filter((name) => ARRAY_FILE.test(name) && !taken.includes(name));
  if (arrays.length === 0) {
    throw new UserError(`activations ${folder}: expected ${MANIFEST} or .npy, .npz or .safetensors files, found none.`);
  }
  return { files: partsInOrder(folder, arrays), ...others };
}

/**
 * The manifest of a folder: its `activations.json`, or inferred from the names of its files:
 * `image_embeddings.npy` with `prompt_embeddings.npy` and `prompt_map.json` are CLIP embeddings to be labelled
 * zero-shot; otherwise every array that is not `labels`, `groups`, `embeddings` or `bounds` is a part, in the order of
 * the numbers in the names where that is unambiguous, and `labels.{txt,csv,json,npy}` holds the labels.
 *
 * @throws UserError for a folder without activations, a manifest that is not as the schema says, several files whose
 * order or purpose would be a guess.
 */
export async function readManifest(folder: string): Promise<FoundManifest> {
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    throw readError('activations', folder, error);
  }
  const given = names.includes(MANIFEST);
  const manifest = given ? await readGiven(join(folder, MANIFEST)) : infer(folder, names);
  const used = new Set([MANIFEST, ...usedFiles(manifest).map(([, name]) => name)]);
  return { ...manifest, ignored: names.filter((name) => !used.has(name)) };
}
