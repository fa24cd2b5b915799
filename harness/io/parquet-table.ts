/** @file Reads a Parquet table by `hyparquet`. To be called in a thread with limits only: see `parquet.ts`. */

import { someOf } from '../errors.ts';
import type { ParquetOptions } from './parquet.ts';

/** What is wrong with the file or the question, in words. */
export class Refusal extends Error {}

/** A page is unpacked in memory. Writers make pages of about 1 MiB. */
const MAX_PAGE_BYTES = 128 * 1024 * 1024;

/** Typed arrays that are counted. */
const COUNTED = ['Uint8Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array'] as const;

/**
 * From now on counts the bytes of typed arrays that this thread asks for by length: they are outside of the heap that a
 * thread's limits bound.
 *
 * @returns Sets how many bytes are left.
 */
export function countTypedArrays(): (bytes: number) => void {
  let left = Number.POSITIVE_INFINITY;
  for (const name of COUNTED) {
    const counted = new Proxy(globalThis[name] as Uint8ArrayConstructor, {
      construct(target, [size, ...rest]: [unknown, ...unknown[]]) {
        if (typeof size === 'number') left -= size * target.BYTES_PER_ELEMENT;
        if (left < 0) throw new Refusal('it asks for more memory than its size explains: damaged?');
        return Reflect.construct(target, [size, ...rest], target) as object;
      },
    });
    Object.assign(globalThis, { [name]: counted });
  }
  return (bytes) => {
    left = bytes;
  };
}

/** 64-bit integers as numbers, in nested values too. */
function plain(value: unknown, column: string): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (!Number.isSafeInteger(number))
      throw new Refusal(`column '${column}': ${value} is beyond ±2^53 and not exact as a number`);
    return number;
  }
  if (Array.isArray(value)) return value.map((item) => plain(item, column));
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, column)]));
  }
  return value;
}

/**
 * The rows of a table as `readParquet` gives them.
 *
 * @param begun Called once what reads is loaded.
 * @throws Refusal in words; other errors where the file is damaged, some of them unhandled or never.
 */
export async function readTable(
  path: string,
  options: ParquetOptions,
  begun: () => void,
): Promise<Record<string, unknown>[]> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import('hyparquet');
  const { compressors: unbounded } = await import('hyparquet-compressors');
  const compressors = Object.fromEntries(
    Object.entries(unbounded).map(([codec, unpack]) => [
      codec,
      (input: Uint8Array, size: number) => {
        if (!(size >= 0 && size <= MAX_PAGE_BYTES)) throw new Refusal(`a page claims ${size} bytes unpacked`);
        return unpack(input, size);
      },
    ]),
  );
  begun();
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const names = parquetSchema(metadata).children.map((child) => child.element.name);
  const missing = (options.columns ?? []).filter((name) => !names.includes(name));
  if (missing.length > 0) throw new Refusal(`expected column ${missing.join(', ')}, found ${someOf(names)}`);
  const total = Number(metadata.num_rows);
  const grouped = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  if (total !== grouped) throw new Refusal(`it claims ${total} rows and holds groups of ${grouped}: damaged?`);
  const rows = await parquetReadObjects({
    file,
    metadata,
    compressors,
    ...(options.columns === undefined ? {} : { columns: [...options.columns] }),
    ...(options.from === undefined ? {} : { rowStart: options.from }),
    ...(options.to === undefined ? {} : { rowEnd: options.to }),
  });
  return rows.map((row, i) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        if (value === undefined) throw new Refusal(`column '${name}' ends before row ${i}: damaged?`);
        return [name, plain(value, name)];
      }),
    ),
  );
}
