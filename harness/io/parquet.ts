/**
 * @file Reading Parquet tables. `hyparquet` trusts what a file says of its sizes, so it works in a thread of its own, with
 * bounds on time and memory that grow with the file.
 */

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.ts';
import { regularFile } from './json.ts';
import { startThread } from './thread.ts';

/** What to read. */
export interface ParquetOptions {
  /** Columns; default all. */
  columns?: readonly string[];
  /** Rows from (inclusive) and to (exclusive); default all. */
  from?: number;
  to?: number;
}

/** What the thread is given. */
export interface ParquetTask {
  path: string;
  options: ParquetOptions;
  /** Most bytes that typed arrays may take in all. */
  arrayBytes: number;
}

/** What the thread tells. */
export type ParquetMessage =
  | { type: 'begun' }
  | { type: 'rows'; rows: Record<string, unknown>[] }
  | { type: 'failed'; message: string };

const MiB = 1024 * 1024;
/** Reading takes some 0.1 s a MiB; a busy machine makes that ten times as much. */
const limitMs = (bytes: number) => 4000 + Math.ceil((2000 * bytes) / MiB);
/** Values of a table take up to some ten times the room of the packed file, and more where it repeats itself. */
const heapMiB = (bytes: number) => Math.min(8192, 192 + Math.ceil((32 * bytes) / MiB));
const arrayBytes = (bytes: number) => 192 * MiB + 64 * bytes;

/**
 * The rows of a table as objects by column name. Integers of 64 bits become numbers, dates `Date`, bytes `Uint8Array`,
 * missing values `null`.
 *
 * @throws UserError for a missing or broken file, for one that takes more time or memory than its size explains, and for
 * a column that it does not have.
 */
export async function readParquet(path: string, options: ParquetOptions = {}): Promise<Record<string, unknown>[]> {
  const where = `parquet ${path}`;
  const { size } = await regularFile(path, 'parquet');
  const module = new URL(`./parquet-thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
  const workerData: ParquetTask = { path, options, arrayBytes: arrayBytes(size) };
  const thread = startThread(module, { workerData, resourceLimits: { maxOldGenerationSizeMb: heapMiB(size) } });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const refuse = (reason: string) => reject(new UserError(`${where}: cannot be read: ${reason}.`));
      thread.on('message', (message: ParquetMessage) => {
        if (message.type === 'rows') resolve(message.rows);
        else if (message.type === 'failed') reject(new UserError(`${where}: ${message.message}`));
        else timer = setTimeout(refuse, limitMs(size), `it took over ${limitMs(size) / 1000} s: damaged?`);
      });
      // What hyparquet leaves unhandled arrives here too.
      thread.on('error', (error: NodeJS.ErrnoException) => {
        const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
        refuse(memory ? `it took over ${heapMiB(size)} MiB: damaged?` : error.message);
      });
      thread.on('exit', () => refuse('its thread ended early'));
    });
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}
