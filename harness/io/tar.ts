/** @file Reads the files of a tar archive, gzipped or not: names and contents, nothing is written. */

import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { UserError } from '../errors.ts';

const BLOCK = 512;
/** Beyond every set of labelled text that is kept in one archive; what unpacks to more is refused. */
const MOST_BYTES = 2 ** 29;
const USTAR_AT = 257;

const unzip = promisify(gunzip);

/** What stands in a field up to its first zero byte. */
const textOf = (bytes: Buffer): string => bytes.toString('utf8').split('\0', 1)[0]!;

/**
 * The regular files of an archive of the ustar family by name, those that `wanted` accepts; `./` before a name is left out.
 *
 * @throws UserError where it is no such archive, is cut off, or unpacks to over 512 MiB.
 */
export async function readTar(path: string, wanted: (name: string) => boolean): Promise<Map<string, string>> {
  const wrong = (problem: string) => new UserError(`archive ${path}: ${problem}; expected a whole .tar or .tar.gz.`);
  let bytes: Buffer = await readFile(path);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    bytes = await unzip(bytes, { maxOutputLength: MOST_BYTES }).catch((error: Error) => {
      throw wrong(error.message);
    });
  }
  const files = new Map<string, string>();
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return files;
    if (textOf(header.subarray(USTAR_AT, USTAR_AT + 5)) !== 'ustar') throw wrong(`no header at byte ${at}`);
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    if (sum !== Number.parseInt(textOf(header.subarray(148, 156)), 8))
      throw wrong(`the header at byte ${at} is damaged`);
    const size = Number.parseInt(textOf(header.subarray(124, 136)), 8);
    const end = at + BLOCK + size;
    if (!Number.isInteger(size) || size < 0 || end > bytes.length) throw wrong(`a file at byte ${at} is cut off`);
    const prefix = textOf(header.subarray(345, 500));
    const name = `${prefix === '' ? '' : `${prefix}/`}${textOf(header.subarray(0, 100))}`.replace(/^\.\//, '');
    const type = String.fromCharCode(header[156]!);
    if ((type === '0' || type === '\0') && wanted(name)) files.set(name, bytes.toString('utf8', at + BLOCK, end));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw wrong('its end is missing');
}
