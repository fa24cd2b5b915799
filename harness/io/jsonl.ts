/** @file Reading JSON lines, streamed. */

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { UserError } from '../errors.ts';
import { readError } from './json.ts';

/**
 * The values of a .jsonl file, one a line; empty lines are skipped.
 *
 * @throws UserError for a missing file, and naming the line for one that is not JSON.
 */
export async function* readJsonl(path: string): AsyncGenerator<unknown> {
  const stream = createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 18 });
  // Without a listener a failed open would end the process before the loop sees it.
  const failed = new Promise<never>((_, reject) => stream.once('error', reject));
  failed.catch(() => undefined);
  try {
    await Promise.race([failed, new Promise((resolve) => stream.once('open', resolve))]);
    let number = 0;
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() === '') continue;
      let value: unknown;
      try {
        value = JSON.parse(line.charCodeAt(0) === 0xfeff ? line.slice(1) : line);
      } catch (error) {
        throw new UserError(`jsonl ${path}: line ${number} is not valid JSON: ${(error as Error).message}.`);
      }
      yield value;
    }
  } catch (error) {
    throw readError('jsonl', path, error);
  } finally {
    stream.destroy();
  }
}
