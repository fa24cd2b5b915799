/** @file What a folder says of each row beside its numbers: which rows count, tokens, positions; and the texts of its items. */
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';
import { readNpy } from '../io/npy.ts';
import type { ImportManifest } from './import-manifest.ts';

/** One entry a row; absent: the folder does not say it. */
export interface RowColumns {
  /** 1 where the row counts. */
  keep?: Uint8Array;
  tokenIds?: Int32Array;
  /** Position within the item, before any row was left out of the files. */
  positions?: Uint32Array;
  /** One an item. */
  texts?: string[];
}

const LARGEST = 2 ** 31 - 1;

async function wholeColumn(
  folder: string,
  [field, file]: [string, string],
  rows: number,
  [least, most]: [number, number],
): Promise<ArrayLike<number>> {
  const path = join(folder, file);
  const { shape, data } = await readNpy(path);
  if (shape.length !== 1 || shape[0] !== rows) {
    throw new UserError(`${field} ${path}: expected ${rows} numbers, one a row, found shape [${shape.join(', ')}].`);
  }
  const bad = data.findIndex((value) => !(Number.isInteger(value) && value >= least && value <= most));
  if (bad >= 0) {
    throw new UserError(
      `${field} ${path}: row ${bad}: expected a whole number from ${least} to ${most}, found ${data[bad]}.`,
    );
  }
  return data;
}

/** @throws UserError unless positions rise within each item. */
function checkRising(path: string, positions: ArrayLike<number>, bounds: Uint32Array): void {
  for (let item = 0; item + 1 < bounds.length; item++) {
    for (let row = bounds[item]! + 1; row < bounds[item + 1]!; row++) {
      if (positions[row]! > positions[row - 1]!) continue;
      throw new UserError(
        `positions ${path}: row ${row}: expected more than ${positions[row - 1]}, the position before it in item ${item}, found ${positions[row]}.`,
      );
    }
  }
}

async function readTexts(path: string, items: number): Promise<string[]> {
  const texts = await readJson(path, 'activations');
  if (Array.isArray(texts) && texts.length === items && texts.every((text) => typeof text === 'string')) return texts;
  const found = Array.isArray(texts) ? `a list of ${texts.length} entries` : typeof texts;
  throw new UserError(`texts ${path}: expected a list of ${items} texts, one an item, found ${found}.`);
}

/** @throws UserError unless each row's token begins and ends within its item's text. */
async function checkOffsets(path: string, bounds: Uint32Array, texts: readonly string[] | undefined): Promise<void> {
  if (texts === undefined) throw new UserError(`offsets ${path}: expected 'texts' too, which they are places in.`);
  const rows = bounds.at(-1)!;
  const { shape, data } = await readNpy(path);
  if (shape.length !== 2 || shape[0] !== rows || shape[1] !== 2) {
    throw new UserError(`offsets ${path}: expected shape [${rows}, 2], found [${shape.join(', ')}].`);
  }
  for (const [item, { length }] of texts.entries()) {
    for (let row = bounds[item]!; row < bounds[item + 1]!; row++) {
      const [start, end] = [data[2 * row]!, data[2 * row + 1]!];
      const whole = Number.isInteger(start) && Number.isInteger(end);
      if (whole && 0 <= start && start <= end && end <= length) continue;
      throw new UserError(
        `offsets ${path}: row ${row}: expected two ascending whole numbers up to ${length}, the UTF-16 code units of text ${item}; found ${start} and ${end}.`,
      );
    }
  }
}

/**
 * Reads the columns.
 *
 * @param bounds First row of each item, and the number of rows.
 * @throws UserError for columns of another length or with other numbers, an item none of whose rows counts, columns without
 * `bounds`: an item is then its row.
 */
export async function readRowColumns(
  folder: string,
  manifest: ImportManifest,
  bounds: Uint32Array,
): Promise<RowColumns> {
  const rows = bounds.at(-1)!;
  const columns: RowColumns = {};
  for (const field of ['keep', 'tokenIds', 'positions', 'offsets'] as const) {
    const file = manifest[field];
    if (file === undefined) continue;
    if (manifest.bounds === undefined) {
      throw new UserError(
        `activations ${folder}: ${field}: expected 'bounds' too, which says where items begin; without, each row is an item: leave rows out of the files.`,
      );
    }
    if (field === 'offsets') continue;
    const range: [number, number] = [field === 'tokenIds' ? -1 : 0, field === 'keep' ? 1 : LARGEST];
    const data = await wholeColumn(folder, [field, file], rows, range);
    if (field === 'keep') columns.keep = Uint8Array.from(data);
    else if (field === 'tokenIds') columns.tokenIds = Int32Array.from(data);
    else {
      checkRising(join(folder, file), data, bounds);
      columns.positions = Uint32Array.from(data);
    }
  }
  const { keep } = columns;
  for (let item = 0; keep && item + 1 < bounds.length; item++) {
    if (keep.subarray(bounds[item], bounds[item + 1]).includes(1)) continue;
    throw new UserError(
      `keep ${join(folder, manifest.keep!)}: item ${item}: expected a row that counts, found none; leave it out.`,
    );
  }
  if (manifest.texts !== undefined) columns.texts = await readTexts(join(folder, manifest.texts), bounds.length - 1);
  if (manifest.offsets !== undefined) await checkOffsets(join(folder, manifest.offsets), bounds, columns.texts);
  return columns;
}
