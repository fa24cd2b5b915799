/** @file Zero-shot pseudo-labels: each item takes the class of the nearest mean prompt embedding, as CLIP classifies. */
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';
import type { ImportedLabels } from './import-columns.ts';
import type { ZeroShotLabels } from './import-manifest.ts';
import { importArray } from './import-rows.ts';
import type { RowSource } from './read-rows.ts';

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

/** Said where one class got over half of the items: such labels may tell of the prompts more than of the items. */
function uneven(classes: readonly string[], classOf: Int32Array): string {
  const counts = classes.map((_, c) => classOf.reduce((sum, own) => sum + (own === c ? 1 : 0), 0));
  const most = Math.max(...counts);
  if (2 * most <= classOf.length) return '';
  return `; ${Math.round((100 * most) / classOf.length)} % of the items got '${classes[counts.indexOf(most)]}'`;
}

/** Rows labelled at a time. */
const CHUNK_ROWS = 4096;

/** Labels of all `items`, which have one row each. */
export async function zeroShotLabels(
  folder: string,
  labels: ZeroShotLabels,
  rows: RowSource,
  items: number,
): Promise<ImportedLabels> {
  const { d_in } = rows;
  const { classes, means, used } = await classifier(folder, labels, d_in);
  const classOf = new Int32Array(items);
  for (let start = 0; start < items; start += CHUNK_ROWS) {
    const end = Math.min(items, start + CHUNK_ROWS);
    const chunk = await rows.read(start, end);
    for (let item = start; item < end; item++) {
      const x = unit(chunk, (item - start) * d_in, d_in);
      const scores = means.map((mean) => mean.reduce((sum, value, j) => sum + value * x[j]!, 0));
      classOf[item] = scores.indexOf(Math.max(...scores));
    }
  }
  const origin =
    `pseudo-labels: nearest of ${classes.length} classes by the mean of ${used} prompt embeddings (zero-shot), not by a person` +
    uneven(classes, classOf);
  return { classes, classOf, origin };
}
