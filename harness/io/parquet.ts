/** @file Reading Parquet tables by `hyparquet`, which is loaded only when a table is read. */

import { stat } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { readError } from './json.ts';

/** What to read. */
export interface ParquetOptions {
  /** Columns; default all. */
  columns?: readonly string[];
  /** Rows from (inclusive) and to (exclusive); default all. */
  from?: number;
  to?: number;
}

/** 64-bit integers as numbers, in nested values too. */
function plain(value: unknown, where: string): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (!Number.isSafeInteger(number))
      throw new UserError(`${where}: ${value} is beyond ±2^53 and not exact as a number.`);
    return number;
  }
  if (Array.isArray(value)) return value.map((item) => plain(item, where));
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, where)]));
  }
  return value;
}

/**
 * The rows of a table as objects by column name. Integers of 64 bits become numbers, dates `Date`, bytes `Uint8Array`,
 * missing values `null`.
 *
 * @throws UserError for a missing or broken file, and for a column that it does not have.
 */
export async function readParquet(path: string, options: ParquetOptions = {}): Promise<Record<string, unknown>[]> {
  const where = `parquet ${path}`;
  await stat(path).catch((error) => {
    throw readError('parquet', path, error);
  });
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const names = parquetSchema(metadata).children.map((child) => child.element.name);
    const missing = (options.columns ?? []).filter((name) => !names.includes(name));
    if (missing.length > 0)
      throw new UserError(`${where}: expected column ${missing.join(', ')}, found ${names.join(', ')}.`);
    const rows = await parquetReadObjects({
      file,
      metadata,
      compressors,
      ...(options.columns === undefined ? {} : { columns: [...options.columns] }),
      ...(options.from === undefined ? {} : { rowStart: options.from }),
      ...(options.to === undefined ? {} : { rowEnd: options.to }),
    });
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, plain(value, `${where}: column '${name}'`)]),
      ),
    );
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${where}: cannot be read: ${(error as Error).message}.`);
  }
}
