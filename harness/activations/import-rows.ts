/** @file Rows of imported arrays: parts of one kind, type and width after one another, read on demand. */
import { UserError } from '../errors.ts';
import type { ElementArray } from '../io/elements.ts';
import { type ColumnName, type ImportPart, openPart } from './import-part.ts';
import type { RowSource } from './read-rows.ts';

export interface ImportRows extends RowSource {
  n: number;
  dtype: string;
  parts: ImportPart[];
  /** File and row within it of a row of the whole, as messages name it. */
  placeOf(row: number): string;
  /** What every part holds under this name, one part after another; undefined where none has it. */
  column(name: ColumnName): Promise<number[] | undefined>;
}

/** Sets up to this size are kept in memory. */
const CACHE_BYTES = 256 * 1024 * 1024;

const toFloat32 = (values: ElementArray) => (values instanceof Float32Array ? values : Float32Array.from(values));

const MEND = 'name the files that belong together in activations.json';

function checkAlike(parts: readonly ImportPart[]): void {
  const [first] = parts;
  for (const part of parts) {
    if (part.width !== first!.width) {
      throw new UserError(
        `activations ${part.path}: expected ${first!.width} columns as in ${first!.path}, found ${part.width}; ${MEND}.`,
      );
    }
    for (const field of ['kind', 'dtype'] as const) {
      if (part[field] === first![field]) continue;
      throw new UserError(
        `activations ${part.path}: expected ${first![field]} as ${first!.path} is, found ${part[field]}: files of one ` +
          `dump are of one kind; ${MEND}.`,
      );
    }
  }
}

/**
 * The rows of `files` in `folder`, one after another. Reads headers only; values are checked where they are scanned.
 *
 * @throws UserError for arrays that are not two-dimensional, and parts whose kind, type or width differ.
 */
export async function importRows(folder: string, files: readonly string[]): Promise<ImportRows> {
  const parts: ImportPart[] = [];
  for (const file of files) parts.push(await openPart(folder, file));
  checkAlike(parts);
  const { width: d_in, dtype } = parts[0]!;
  const n = parts.reduce((sum, { rows }) => sum + rows, 0);
  async function readFiles(start: number, end: number): Promise<Float32Array> {
    const out = new Float32Array((end - start) * d_in);
    let offset = 0;
    for (const part of parts) {
      const from = Math.max(start, offset);
      const to = Math.min(end, offset + part.rows);
      if (from < to) out.set(toFloat32(await part.read(from - offset, to - offset)), (from - start) * d_in);
      offset += part.rows;
    }
    return out;
  }
  let cached: Promise<Float32Array> | undefined;
  async function readCached(start: number, end: number): Promise<Float32Array> {
    cached ??= readFiles(0, n);
    return (await cached).slice(start * d_in, end * d_in);
  }
  return {
    d_in,
    n,
    dtype,
    parts,
    read: n * d_in * 4 > CACHE_BYTES ? readFiles : readCached,
    placeOf(row) {
      let inPart = row;
      let i = 0;
      while (inPart >= parts[i]!.rows) inPart -= parts[i++]!.rows;
      return `${parts[i]!.path}: row ${inPart}`;
    },
    async column(name) {
      const readers = parts.map(({ columns }) => columns[name]);
      const missing = readers.indexOf(undefined);
      if (readers.every((read) => read === undefined)) return undefined;
      if (missing >= 0) {
        throw new UserError(`activations ${parts[missing]!.path}: expected a tensor '${name}' as other files have.`);
      }
      const values: number[] = [];
      for (const read of readers) for (const value of await read!()) values.push(value);
      return values;
    },
  };
}

/**
 * All rows of one array, for the small ones: prompts, embeddings.
 *
 * @throws UserError also for values that are not finite, naming the row.
 */
export async function importArray(folder: string, file: string) {
  const { d_in: width, n: rows, read, placeOf } = await importRows(folder, [file]);
  const x = await read(0, rows);
  const bad = x.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const [row, column] = [Math.floor(bad / width), bad % width];
    throw new UserError(`activations ${placeOf(row)}: expected finite numbers, found ${x[bad]} in column ${column}.`);
  }
  return { x, rows, width };
}
