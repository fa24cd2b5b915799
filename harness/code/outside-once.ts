/**
 * @file Digests of plug-ins from outside, made once in a process while their files stay as they are: a file may hold
 * several plug-ins, a process several runs, and bundling takes a second.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { sha256 } from '../io/hash.ts';
import { type Code, type Outside, outsideCode } from './bundle.ts';

type Found = Code & Outside;

/** Of each file the digest and a test of whether it still holds. */
const known = new Map<string, Promise<{ found: Found; holds: () => boolean }>>();

const hashOf = (file: string) => (existsSync(file) ? sha256(readFileSync(file)) : 'none');

async function make(file: string) {
  const began = Date.now();
  const found = await outsideCode(file);
  // What was not found may be there next time, and a file that was edited meanwhile may have been read before or after.
  const settled = found.unfollowed.length === 0 && found.inputs.every((input) => statSync(input).mtimeMs < began);
  const hashes = found.inputs.map((input) => [input, hashOf(input)] as const);
  return { found, holds: () => settled && hashes.every(([input, hash]) => hashOf(input) === hash) };
}

/** As {@link outsideCode}. */
export async function outsideCodeOnce(file: string): Promise<Found> {
  const before = await known.get(file);
  if (before?.holds()) return before.found;
  const making = make(file);
  known.set(file, making);
  return (await making).found;
}
