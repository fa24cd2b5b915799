/** @file Labels of imported items: from JSON, CSV or npy, or zero-shot from prompt embeddings. */
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { readCsvRecords } from '../io/csv.ts';
import { readJson } from '../io/json.ts';
import { readNpy } from '../io/npy.ts';
import type { ImportManifest, ZeroShotLabels } from './import-manifest.ts';
import { importArray } from './import-rows.ts';
import type { RowSource } from './read-rows.ts';

export interface ImportedLabels {
  /** Class names, sorted by number or by name. */
  classes: string[];
  /** Class of each item; −1: none. */
  classOf: Int32Array;
  /** How the labels came about, in words. */
  origin: string;
  split?: ('train' | 'test')[];
}

type RawLabel = string | number | null;

async function rawLabels(folder: string, file: string): Promise<{ labels: RawLabel[]; split?: string[] }> {
  const path = join(folder, file);
  if (file.endsWith('.csv')) {
    const labels: RawLabel[] = [];
    const split: string[] = [];
    for await (const record of readCsvRecords(path, ['label'])) {
      labels.push(record['label'] === '' ? null : record['label']!);
      if (record['split'] !== undefined) split.push(record['split']);
    }
    return split.length > 0 ? { labels, split } : { labels };
  }
  if (file.endsWith('.npy')) {
    const { shape, data } = await readNpy(path);
    if (shape.length !== 1) throw new UserError(`labels ${path}: expected one number an item, found shape [${shape}].`);
    return { labels: Array.from(data, (value) => (value === -1 ? null : value)) };
  }
  if (file.endsWith('.json')) {
    const value = await readJson(path, 'labels');
    const fits = (label: unknown) => label === null || typeof label === 'string' || typeof label === 'number';
    if (!Array.isArray(value) || !value.every(fits)) {
      throw new UserError(`labels ${path}: expected a list of names, numbers or null, one an item.`);
    }
    return { labels: value as RawLabel[] };
  }
  throw new UserError(`labels ${path}: expected a .json, .csv or .npy file.`);
}

/** Names of the classes and the class of each item. */
function classify(path: string, labels: RawLabel[], names?: string[]): Pick<ImportedLabels, 'classes' | 'classOf'> {
  const numeric = labels.every((label) => label === null || (label !== '' && Number.isInteger(Number(label))));
  if (names && numeric) {
    const wrong = labels.find((label) => label !== null && !(Number(label) >= 0 && Number(label) < names.length));
    if (wrong !== undefined) {
      throw new UserError(`labels ${path}: unknown label ${wrong}: expected a number from 0 to ${names.length - 1}.`);
    }
    return { classes: names, classOf: Int32Array.from(labels, (label) => (label === null ? -1 : Number(label))) };
  }
  const found = [...new Set(labels.filter((label) => label !== null).map(String))];
  if (names) {
    const unknown = found.find((label) => !names.includes(label));
    if (unknown !== undefined)
      throw new UserError(`labels ${path}: unknown label '${unknown}': expected one of ${names.join(', ')}.`);
  }
  const classes = names ?? found.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : 1));
  return {
    classes,
    classOf: Int32Array.from(labels, (label) => (label === null ? -1 : classes.indexOf(String(label)))),
  };
}

function unit(x: Float32Array, start: number, width: number): Float64Array {
  const row = Float64Array.from(x.subarray(start, start + width));
  const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
  return row.map((value) => value / norm);
}

/** Mean of the unit embeddings of each class's prompts, scaled to unit length: CLIP's zero-shot classifier. */
async function classifier(folder: string, { prompts, map }: ZeroShotLabels, d_in: number) {
  const { x, rows, width } = await importArray(folder, prompts);
  if (width !== d_in) {
    throw new UserError(
      `labels ${join(folder, prompts)}: expected ${d_in} columns as the activations have, found ${width}.`,
    );
  }
  const path = join(folder, map);
  const entries = await readJson(path, 'labels');
  if (!Array.isArray(entries) || entries.length !== rows) {
    const found = Array.isArray(entries) ? entries.length : 'no list';
    throw new UserError(`labels ${path}: expected ${rows} entries, one for each row of ${prompts}, found ${found}.`);
  }
  const names = entries.map((entry) => (entry as { label_name?: unknown } | null)?.label_name ?? null);
  const classes = [...new Set(names.filter((name): name is string => typeof name === 'string'))].sort();
  if (classes.length < 2)
    throw new UserError(`labels ${path}: expected at least two label_name values, found ${classes.length}.`);
  const means = classes.map((name) => {
    const sum = new Float32Array(width);
    for (const [row, label] of names.entries()) {
      if (label !== name) continue;
      for (const [j, value] of unit(x, row * width, width).entries()) sum[j]! += value;
    }
    return unit(sum, 0, width);
  });
  return { classes, means, used: names.filter((name) => name !== null).length };
}

async function zeroShot(
  folder: string,
  labels: ZeroShotLabels,
  rows: RowSource,
  items: number,
): Promise<ImportedLabels> {
  const { classes, means, used } = await classifier(folder, labels, rows.d_in);
  const classOf = new Int32Array(items);
  for (let item = 0; item < items; item++) {
    const x = unit(await rows.read(item, item + 1), 0, rows.d_in);
    const scores = means.map((mean) => mean.reduce((sum, value, j) => sum + value * x[j]!, 0));
    classOf[item] = scores.indexOf(Math.max(...scores));
  }
  const origin = `pseudo-labels: nearest of ${classes.length} classes by the mean of ${used} prompt embeddings (zero-shot), not by a person`;
  return { classes, classOf, origin };
}

/**
 * The labels that the manifest names, one an item.
 *
 * @throws UserError when their number differs from the items', or a label is unknown.
 */
export async function importLabels(
  folder: string,
  manifest: ImportManifest,
  rows: RowSource,
  items: number,
): Promise<ImportedLabels | undefined> {
  const { labels } = manifest;
  if (labels === undefined) return undefined;
  if (typeof labels === 'object') {
    if (manifest.bounds !== undefined) {
      throw new UserError(`labels ${folder}: zero-shot labels need one row an item; leave bounds out.`);
    }
    return zeroShot(folder, labels, rows, items);
  }
  const path = join(folder, labels);
  const raw = await rawLabels(folder, labels);
  if (raw.labels.length !== items) {
    throw new UserError(`labels ${path}: expected ${items} labels, one an item, found ${raw.labels.length}.`);
  }
  const split = raw.split && checkSplit(path, raw.split, items);
  return { ...classify(path, raw.labels, manifest.classes), origin: `labels from ${labels}`, ...(split && { split }) };
}

/** @throws UserError unless there is `train` or `test` for every item, and both occur. */
export function checkSplit(path: string, split: unknown, items: number): ('train' | 'test')[] {
  const fits =
    Array.isArray(split) && split.length === items && split.every((part) => part === 'train' || part === 'test');
  if (!fits || !split.includes('train') || !split.includes('test')) {
    throw new UserError(`split ${path}: expected ${items} entries, each train or test, and both of them.`);
  }
  return split as ('train' | 'test')[];
}
