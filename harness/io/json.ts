/** @file JSON: canonical text (sorted keys, no NaN), bounded reading with clear errors: size, depth, duplicate keys. */

import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { shown, UserError } from '../errors.ts';
import { utf8 } from './utf8.ts';

/** Largest JSON file read whole; the largest known tokenizer.json is about 35 MB. */
export const MAX_JSON_BYTES = 256 * 1024 * 1024;
/** Largest text held as one string: V8 has no longer ones. */
export const MAX_TEXT_BYTES = 500_000_000;
/** Real documents have some ten levels; whatever walks a value by recursion is safe below this. */
export const MAX_JSON_DEPTH = 200;

function canonical(value: unknown, where: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error(`json: ${where} is ${value}; JSON carries finite numbers only`);
    return value;
  }
  if (Array.isArray(value)) return value.map((item, i) => canonical(item, `${where}[${i}]`));
  if (
    typeof value === 'object' &&
    (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
  ) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, item]) => [key, canonical(item, `${where}.${key}`)]));
  }
  const kind = typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
  throw new Error(`json: ${where} is a ${kind}; plain objects, arrays, strings, numbers, booleans and null only`);
}

/**
 * The one JSON text of a value: keys sorted by code unit (integer-like keys first, ascending, as JavaScript orders
 * them), fields that are undefined left out, `-0` written as `0`. Two equal values give the same text.
 *
 * @throws Error naming the field for NaN, infinities, typed arrays, maps, class instances, functions.
 */
export function canonicalJson(value: unknown, indent = 0): string {
  return JSON.stringify(canonical(value, '$'), null, indent);
}

/**
 * The value of a JSON text; a byte-order mark at its start is skipped.
 *
 * @param where Starts the error message, for example `jsonl x.jsonl: line 3`.
 * @throws UserError when it is not JSON, nests deeper than {@link MAX_JSON_DEPTH} levels, or names a key of an object
 * twice: `JSON.parse` silently keeps the last, so a file could show two readers two different contents.
 */
export function parseJson(text: string, where: string): unknown {
  const json = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    // V8 quotes the place with its line breaks, and a mistake of the user's is one line.
    const message = (error as Error).message.replace(/\s+/g, ' ');
    throw new UserError(`${where} is not valid JSON: ${message.replace(/ is not valid JSON$/, '')}.`);
  }
  const { depth, twice } = scanJson(json);
  if (depth > MAX_JSON_DEPTH) {
    throw new UserError(`${where} nests ${depth} levels deep, expected at most ${MAX_JSON_DEPTH}.`);
  }
  if (twice !== undefined) throw new UserError(`${where} holds the key ${shown(twice)} twice in one object.`);
  return value;
}

/**
 * Read and parse a JSON file of at most {@link MAX_JSON_BYTES}.
 *
 * @param domain Starts the error message, for example `tokenizer` or `subject`.
 * @throws UserError when the file is missing, too large, not a regular file, or no JSON that {@link parseJson} takes.
 */
export async function readJson(path: string, domain: string): Promise<unknown> {
  return parseJson(await readText(path, domain, MAX_JSON_BYTES), `${domain}: ${path}`);
}

/**
 * The text of a UTF-8 file.
 *
 * @throws UserError when it is missing, not a regular file, not UTF-8 (naming line and byte), or larger than `maxBytes`.
 */
export async function readText(path: string, domain: string, maxBytes: number): Promise<string> {
  return utf8(await readBytes(path, domain, maxBytes), `${domain}: ${path}`);
}

/** The content of a file; errors as of {@link readText}. */
export async function readBytes(path: string, domain: string, maxBytes: number): Promise<Buffer> {
  try {
    const { size } = await regularFile(path, domain);
    if (size > maxBytes) {
      throw new UserError(`${domain}: ${path} has ${size} bytes, expected at most ${maxBytes}.`);
    }
    return await readFile(path);
  } catch (error) {
    throw readError(domain, path, error);
  }
}

/**
 * What the file system says about a regular file.
 *
 * @throws UserError for a folder, and for a pipe or a device, where reading could wait or go on for ever.
 */
export async function regularFile(path: string, domain: string): Promise<Stats> {
  const found = await stat(path).catch((error: unknown) => {
    throw readError(domain, path, error);
  });
  if (found.isDirectory()) throw new UserError(`${domain}: ${path} is a folder, a file is expected.`);
  if (!found.isFile()) throw new UserError(`${domain}: ${path} is a pipe, device or socket, a file is expected.`);
  return found;
}

/** What the file system can refuse, in words. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'cannot be read: no permission',
  EPERM: 'cannot be read: no permission',
  EISDIR: 'is a folder, a file is expected',
  ELOOP: 'is a symbolic link that leads back to itself',
  ENAMETOOLONG: 'has a longer name than the file system knows',
  EMFILE: 'cannot be opened: too many open files (raise ulimit -n)',
  EIO: 'cannot be read: input/output error of the disk',
};

/** A `UserError` for a file-system error while reading `path`; any other error comes back unchanged. */
export function readError(domain: string, path: string, error: unknown): unknown {
  const refusal = REFUSALS[(error as NodeJS.ErrnoException | undefined)?.code ?? ''];
  return refusal === undefined ? error : new UserError(`${domain}: ${path} ${refusal}.`);
}

/** Levels of nesting of a valid JSON text, and the first key that occurs twice in one object, if any. */
export function scanJson(text: string): { depth: number; twice?: string } {
  const open: (Set<string> | undefined)[] = [];
  let depth = 0;
  let twice: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === OPEN_OBJECT || char === OPEN_LIST) depth = Math.max(depth, open.push(undefined));
    else if (char === CLOSE_OBJECT || char === CLOSE_LIST) open.pop();
    else if (char === QUOTE) {
      const end = closingQuote(text, i);
      let after = end + 1;
      while (isBlank(text.charCodeAt(after))) after += 1;
      if (text.charCodeAt(after) === COLON) {
        const key = text.slice(i, end + 1);
        const plain = key.includes('\\') ? (JSON.parse(key) as string) : key.slice(1, -1);
        open[open.length - 1] ??= new Set();
        const keys = open.at(-1)!;
        if (keys.has(plain)) twice ??= plain;
        keys.add(plain);
      }
      i = end;
    }
  }
  return twice === undefined ? { depth } : { depth, twice };
}

const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, QUOTE, BACKSLASH, COLON] = [
  0x7b, 0x7d, 0x5b, 0x5d, 0x22, 0x5c, 0x3a,
];

const isBlank = (char: number) => char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09;

/** Position of the quote that ends the string that begins at `from`. */
function closingQuote(text: string, from: number): number {
  let end = from + 1;
  while (text.charCodeAt(end) !== QUOTE) end += text.charCodeAt(end) === BACKSLASH ? 2 : 1;
  return end;
}
