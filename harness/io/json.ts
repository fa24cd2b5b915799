/** @file JSON: canonical text (sorted keys, no NaN), bounded reading with clear errors, duplicate-key detection. */

import { readFile, stat } from 'node:fs/promises';
import { UserError } from '../errors.ts';

/** Largest JSON file read whole; the largest known tokenizer.json is about 35 MB. */
export const MAX_JSON_BYTES = 512 * 1024 * 1024;

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
 * Read and parse a JSON file of at most {@link MAX_JSON_BYTES}.
 *
 * @param domain Starts the error message, for example `tokenizer` or `subject`.
 * @throws UserError when the file is missing, too large or not JSON.
 */
export async function readJson(path: string, domain: string): Promise<unknown> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > MAX_JSON_BYTES) {
      throw new UserError(`${domain}: ${path} has ${size} bytes, expected at most ${MAX_JSON_BYTES}.`);
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw readError(domain, path, error);
  }
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    // V8 quotes the place with its line breaks, and a mistake of the user's is one line.
    const message = (error as Error).message.replace(/\s+/g, ' ');
    throw new UserError(`${domain}: ${path} is not valid JSON: ${message.replace(/ is not valid JSON$/, '')}.`);
  }
}

/** A `UserError` for a file-system error while reading `path`; any other error comes back unchanged. */
export function readError(domain: string, path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new UserError(`${domain}: ${path} does not exist.`);
  if (code === 'EACCES' || code === 'EPERM') return new UserError(`${domain}: no permission to read ${path}.`);
  if (code === 'EISDIR') return new UserError(`${domain}: ${path} is a folder, a file is expected.`);
  return error;
}

/**
 * The first key that occurs twice in one object of a valid JSON text, or undefined. `JSON.parse` silently keeps the
 * last of them, so a hostile file could show two readers two different contents.
 */
export function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '{') open.push(new Set());
    else if (char === '[') open.push(undefined);
    else if (char === '}' || char === ']') open.pop();
    else if (char === '"') {
      let end = i + 1;
      while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      const keys = open.at(-1);
      let after = end + 1;
      while (' \t\r\n'.includes(text[after] ?? '.')) after += 1;
      if (keys !== undefined && text[after] === ':') {
        const key = JSON.parse(text.slice(i, end + 1)) as string;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      i = end;
    }
  }
  return undefined;
}
