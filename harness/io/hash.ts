/** @file SHA-256 of bytes, files and values, in lower-case hex. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { canonicalJson, readError } from './json.ts';

/** SHA-256 of bytes or of a UTF-8 text. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** SHA-256 of a value's canonical JSON: the order of keys and fields that are undefined make no difference. */
export function sha256Json(value: unknown): string {
  return sha256(canonicalJson(value));
}

/**
 * SHA-256 of a file, streamed.
 *
 * @throws UserError when the file cannot be read.
 */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  } catch (error) {
    throw readError('hash', path, error);
  }
  return hash.digest('hex');
}
