/** @file Files with one entry an item: labels, groups. Text, CSV, JSON or npy; or a tensor inside of the arrays. */
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { readCsvRecords } from '../io/csv.ts';
import { MAX_TEXT_BYTES, readJson, readText } from '../io/json.ts';
import { readNpy } from '../io/npy.ts';

/** A name, a number, or null where the item has none. */
export type Entry = string | number | null;

/** What becomes of a column of labels. */
export interface ImportedLabels {
  /** Class names, sorted by number or by name. */
  classes: string[];
  /** Class of each item; −1: none. */
  classOf: Int32Array;
  /** How the labels came about, in words. */
  origin: string;
}

export interface ColumnFile {
  entries: Entry[];
  /** Other columns of a CSV, by their header. */
  others: Record<string, string[]>;
}

async function readCsv(path: string, column: string): Promise<ColumnFile> {
  const entries: Entry[] = [];
  const others: Record<string, string[]> = {};
  for await (const record of readCsvRecords(path, [column])) {
    for (const [name, value] of Object.entries(record)) {
      if (name === column) entries.push(value === '' ? null : value);
      else if (entries.length <= 1) others[name] = [...(others[name] ?? []), value];
      else others[name]!.push(value);
    }
  }
  return { entries, others };
}

async function readLines(path: string): Promise<Entry[]> {
  const text = await readText(path, 'activations', MAX_TEXT_BYTES);
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.trim() === '' ? null : line.trim()));
}

async function readList(path: string, column: string): Promise<Entry[]> {
  const value = await readJson(path, 'activations');
  const fits = (entry: unknown) => entry === null || typeof entry === 'string' || typeof entry === 'number';
  if (!Array.isArray(value) || !value.every(fits)) {
    throw new UserError(`${column} ${path}: expected a list of names, numbers or null, one an item.`);
  }
  return value.map((entry: Entry) => (entry === '' ? null : entry));
}

/**
 * The entries of `file`.
 *
 * @param column What they are: the header of a CSV's column, and the start of messages.
 * @throws UserError for a file that is none of the four kinds, or not as its kind must be.
 */
export async function readColumn(folder: string, file: string, column: string): Promise<ColumnFile> {
  const path = join(folder, file);
  if (file.endsWith('.csv')) return readCsv(path, column);
  if (file.endsWith('.txt')) return { entries: await readLines(path), others: {} };
  if (file.endsWith('.json')) return { entries: await readList(path, column), others: {} };
  const { shape, data } = await readNpy(path);
  if (shape.length !== 1)
    throw new UserError(`${column} ${path}: expected one number an item, found shape [${shape}].`);
  return { entries: Array.from(data), others: {} };
}

/** @throws UserError unless there is one entry an item. */
export function checkCount(where: string, column: string, entries: readonly unknown[], items: number): void {
  if (entries.length === items) return;
  throw new UserError(`${where}: expected ${items} ${column}, one an item, found ${entries.length}.`);
}
