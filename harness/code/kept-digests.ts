/**
 * @file Digests of code that runs from its sources, kept beside the installed packages while nothing that they were made
 * of changes: making them bundles the whole package, in every process that has a run in it.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWriteJson } from '../io/atomic.ts';
import { sha256 } from '../io/hash.ts';
import type { Code, DigestedCode } from './bundle.ts';

interface Kept {
  /** What makes them. */
  by: string;
  inputs: Record<string, string>;
  codes: Record<string, Code>;
}

/** File systems tell times of files in steps of up to so many. */
const COARSEST_MS = 2000;

const hashOf = (root: string, input: string) => sha256(readFileSync(join(root, input)));

function readKept(file: string, root: string, by: string): Kept['codes'] | undefined {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept;
    const same = kept.by === by && Object.entries(kept.inputs).every(([input, hash]) => hashOf(root, input) === hash);
    return same ? kept.codes : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param file Where they are kept.
 * @param by Changes with all that decides digests beside the files themselves: which ones are asked for, and their maker.
 */
export async function keptDigests(
  file: string,
  root: string,
  by: string,
  make: () => Promise<DigestedCode>,
): Promise<Record<string, Code>> {
  const kept = readKept(file, root, by);
  if (kept) return kept;
  const began = Date.now();
  const { codes, inputs } = await make();
  // A file that was edited meanwhile may have been read before or after.
  if (inputs.some((input) => statSync(join(root, input)).mtimeMs >= began - COARSEST_MS)) return codes;
  const hashes = Object.fromEntries(inputs.map((input) => [input, hashOf(root, input)]));
  // Where nothing can be written they are made anew in every process.
  await atomicWriteJson(file, { by, inputs: hashes, codes } satisfies Kept).catch(() => {});
  return codes;
}
