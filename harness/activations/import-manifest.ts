/** @file `activations.json`: what a folder of activations dumped elsewhere holds; written by the user or inferred. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { shown, UserError, unknownName } from '../errors.ts';
import { readError, readJson } from '../io/json.ts';

/** Labels that no person gave: each item takes the class of the nearest mean prompt embedding. */
export interface ZeroShotLabels {
  /** `.npy` or `.safetensors` of prompt embeddings, as wide as the activations. */
  prompts: string;
  /** JSON list with one `{ label_name, … }` a prompt; a null name leaves the prompt out. */
  map: string;
}

/**
 * The manifest. All paths are names of files in the folder itself. Only `files` is required.
 *
 * ```json
 * { "files": ["part-0.npy", "part-1.safetensors"], "labels": "labels.csv", "site": "vision.embed",
 *   "subject": "openai/clip-vit-base-patch16", "modality": "image", "embeddings": "dino.npy" }
 * ```
 */
export interface ImportManifest {
  /** Rows of all parts follow one another, in this order. A `.safetensors` part holds one two-dimensional tensor. */
  files: string[];
  /**
   * One label an item: `.json` (list of names, numbers or null), `.csv` (column `label`, and `split` if wanted) or
   * `.npy` (whole numbers, −1: none); or zero-shot pseudo-labels.
   */
  labels?: string | ZeroShotLabels;
  /** Names of numeric labels. */
  classes?: string[];
  /** Default `imported`. */
  site?: string;
  /** Name of the model that the activations come from. Default: the folder's name. */
  subject?: string;
  /** Default `image`. */
  modality?: 'text' | 'image';
  /** `.npy` or `.safetensors`, one row an item: an embedding from another model, for the monosemanticity score. */
  embeddings?: string;
  /** `.json`: list of `train` or `test`, one an item. Default: drawn, 65 % train. */
  split?: string;
  /** `.npy`: first row of each item and the number of rows, items + 1 numbers. Default: one row an item. */
  bounds?: string;
}

const FIELDS = ['files', 'labels', 'classes', 'site', 'subject', 'modality', 'embeddings', 'split', 'bounds'];
const MANIFEST = 'activations.json';
const MAX_FILES = 10_000;

const isArrayFile = (name: string) => name.endsWith('.npy') || name.endsWith('.safetensors');

/** A plain file name of the folder, so that a manifest cannot reach outside of it. */
function checkName(where: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && basename(value) === value && value !== '..') return value;
  throw new UserError(`${where}: expected the name of a file in the same folder, found ${shown(value)}.`);
}

function checkManifest(path: string, value: unknown): ImportManifest {
  const where = `activations ${path}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${where}: expected an object with a field files, found ${shown(value)}.`);
  }
  const manifest = value as Record<string, unknown>;
  for (const name of Object.keys(manifest))
    if (!FIELDS.includes(name)) throw unknownName(`field of ${MANIFEST}`, name, FIELDS);
  const { files, labels, classes, modality } = manifest;
  if (!Array.isArray(files) || files.length === 0 || files.length > MAX_FILES) {
    throw new UserError(`${where}: files: expected a list of 1 to ${MAX_FILES} file names, found ${shown(files)}.`);
  }
  for (const file of files) {
    if (!isArrayFile(checkName(`${where}: files`, file))) {
      throw new UserError(`${where}: files: expected .npy or .safetensors, found '${file}'.`);
    }
  }
  for (const field of ['embeddings', 'split', 'bounds']) {
    if (manifest[field] !== undefined) checkName(`${where}: ${field}`, manifest[field]);
  }
  for (const field of ['site', 'subject']) {
    if (manifest[field] !== undefined && typeof manifest[field] !== 'string') {
      throw new UserError(`${where}: ${field}: expected a text, found ${shown(manifest[field])}.`);
    }
  }
  if (typeof labels === 'object' && labels !== null) {
    const { prompts, map } = labels as Record<string, unknown>;
    checkName(`${where}: labels.prompts`, prompts);
    checkName(`${where}: labels.map`, map);
  } else if (labels !== undefined) checkName(`${where}: labels`, labels);
  if (modality !== undefined && modality !== 'text' && modality !== 'image') {
    throw new UserError(`${where}: modality: expected text or image, found ${shown(modality)}.`);
  }
  if (classes !== undefined && !(Array.isArray(classes) && classes.every((name) => typeof name === 'string'))) {
    throw new UserError(`${where}: classes: expected a list of names, found ${shown(classes)}.`);
  }
  return value as ImportManifest;
}

/**
 * The manifest of a folder: its `activations.json`, or inferred from the names of its files:
 * `image_embeddings.npy` with `prompt_embeddings.npy` and `prompt_map.json` are CLIP embeddings to be labelled
 * zero-shot; otherwise every `.npy` or `.safetensors` that is not `labels.npy`, `embeddings.npy` or `bounds.npy` is a
 * part, in the order of the names, and `labels.json`, `labels.csv` or `labels.npy` holds the labels.
 *
 * @throws UserError for a folder without activations or a manifest that is not as described.
 */
export async function readManifest(folder: string): Promise<ImportManifest> {
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch (error) {
    throw readError('activations', folder, error);
  }
  if (names.includes(MANIFEST)) {
    const path = join(folder, MANIFEST);
    return checkManifest(path, await readJson(path, 'activations'));
  }
  const subject = basename(folder);
  const [prompts, map] = ['prompt_embeddings.npy', 'prompt_map.json'];
  if (['image_embeddings.npy', prompts, map].every((name) => names.includes(name!))) {
    const labels = { prompts: prompts!, map: map! };
    return { files: ['image_embeddings.npy'], labels, subject, site: 'vision.embed', modality: 'image' };
  }
  const named = ['labels.npy', 'embeddings.npy', 'bounds.npy'];
  const files = names.filter((name) => isArrayFile(name) && !named.includes(name));
  if (files.length === 0) {
    throw new UserError(`activations ${folder}: expected ${MANIFEST} or .npy or .safetensors files, found none.`);
  }
  const found = (candidates: string[]) => candidates.find((name) => names.includes(name));
  const manifest: ImportManifest = { files, subject };
  const optional = {
    labels: found(['labels.json', 'labels.csv', 'labels.npy']),
    embeddings: found(['embeddings.npy']),
    bounds: found(['bounds.npy']),
    split: found(['split.json']),
  };
  for (const [field, name] of Object.entries(optional)) if (name) Object.assign(manifest, { [field]: name });
  return manifest;
}
