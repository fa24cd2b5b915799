/** @file The thread of `parquet.ts`: reads a table by `hyparquet` and tells its rows or why there are none. */

import { parentPort, workerData } from 'node:worker_threads';
import { someOf } from '../errors.ts';
import type { ParquetMessage, ParquetTask } from './parquet.ts';

const { path, options, arrayBytes } = workerData as ParquetTask;
const tell = (message: ParquetMessage) => parentPort!.postMessage(message);

/** What is wrong with the file or the question, in words. */
class Refusal extends Error {}

/** A page is unpacked in memory. Writers make pages of about 1 MiB. */
const MAX_PAGE_BYTES = 128 * 1024 * 1024;

/**
 * Counts the bytes of typed arrays that are asked for by length, which are outside of the heap that a thread's limits
 * bound. Only this thread sees the counting constructors.
 */
function boundTypedArrays(): void {
  let left = arrayBytes;
  for (const name of ['Uint8Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array'] as const) {
    const counted = new Proxy(globalThis[name] as Uint8ArrayConstructor, {
      construct(target, [size, ...rest]: [unknown, ...unknown[]]) {
        if (typeof size === 'number') left -= size * target.BYTES_PER_ELEMENT;
        if (left < 0) throw new Refusal(`it asks for over ${arrayBytes} bytes of memory: damaged?`);
        return Reflect.construct(target, [size, ...rest], target) as object;
      },
    });
    Object.assign(globalThis, { [name]: counted });
  }
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

async function read(): Promise<Record<string, unknown>[]> {
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
  tell({ type: 'begun' });
  boundTypedArrays();
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

try {
  tell({ type: 'rows', rows: await read() });
} catch (error) {
  const { message } = error as Error;
  tell({
    type: 'failed',
    message: `${error instanceof Refusal ? '' : 'cannot be read: '}${message.replace(/\.$/, '')}.`,
  });
}
