/** @file The rows of a domain's table, CSV, JSON lines or Parquet, as text by column. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { shown, UserError } from '../errors.ts';
import { readCsvRecords } from '../io/csv.ts';
import { readJsonl } from '../io/jsonl.ts';
import { readParquet } from '../io/parquet.ts';
import type { Row } from './labels.ts';

const ENDINGS = ['csv', 'jsonl', 'parquet'] as const;

/** More are not held in memory with their labels. */
const MAX_ROWS = 2_000_000;

/** The one table of that name in a folder, as a file's name; undefined where there is none. */
export function tableFile(folder: string, name: string): string | undefined {
  const found = ENDINGS.map((ending) => `${name}.${ending}`).filter((file) => existsSync(join(folder, file)));
  if (found.length > 1) {
    throw new UserError(`domain ${folder}: expected one table of ${name}; found ${found.join(' and ')}: keep one.`);
  }
  return found[0];
}

async function* entriesOf(path: string): AsyncGenerator<unknown> {
  if (path.endsWith('.csv')) yield* readCsvRecords(path);
  else if (path.endsWith('.jsonl')) yield* readJsonl(path);
  else yield* await readParquet(path);
}

/** A value of a table as text; undefined for what is none. */
function cellOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value instanceof Date ? value.toISOString() : undefined;
}

/** Names of the columns of a table, as far as its first row tells. @throws UserError for a table without rows. */
export async function firstColumns(path: string, where: string): Promise<string[]> {
  const rows = path.endsWith('.parquet') ? await readParquet(path, { from: 0, to: 1 }) : entriesOf(path);
  for await (const entry of rows) {
    if (typeof entry === 'object' && entry !== null) return Object.keys(entry).map((name) => name.trim());
    break;
  }
  throw new UserError(`${where}: expected rows below the names of columns, found none.`);
}

export interface Table {
  /** File for messages. */
  where: string;
  columns: string[];
  rows: Row[];
}

/**
 * A table with its names and cells freed of space around them. A row that lacks a column (JSON lines) has a blank there.
 *
 * @throws UserError for columns without a name or of one name, a value that is no text, number or boolean, and for no rows.
 */
export async function readTable(path: string, where: string): Promise<Table> {
  const columns = new Map<string, string>();
  const rows: Row[] = [];
  for await (const entry of entriesOf(path)) {
    const number = rows.length + 1;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      throw new UserError(`${where}: row ${number}: expected an object of columns, found ${shown(entry)}.`);
    }
    const cells: [string, string][] = [];
    for (const [given, value] of Object.entries(entry)) {
      const name = given.trim();
      const before = columns.get(name);
      if (before === undefined) columns.set(name, given);
      else if (before !== given) throw new UserError(`${where}: column '${name}' occurs twice (with other spaces).`);
      const cell = cellOf(value);
      if (cell === undefined) {
        throw new UserError(
          `${where}: row ${number}, column '${name}': expected a text, number or boolean, found ${Array.isArray(value) ? 'a list' : typeof value}.`,
        );
      }
      cells.push([name, cell]);
    }
    // Rows of the same names share a shape; objects without a prototype would each be a hash table.
    rows.push(Object.fromEntries(cells));
    if (rows.length > MAX_ROWS) throw new UserError(`${where}: expected at most ${MAX_ROWS} rows; take a sample.`);
  }
  if (columns.has('')) {
    throw new UserError(
      `${where}: a column has no name: name it, or write the table without an index (pandas: index=False).`,
    );
  }
  if (rows.length === 0) throw new UserError(`${where}: expected rows below the names of columns, found none.`);
  return { where, columns: [...columns.keys()], rows };
}

/** A cell of a row that may lack it; a name such as 'constructor' is found in every object. */
export const cell = (row: Row, column: string): string => (Object.hasOwn(row, column) ? row[column]! : '');
