/** @file What lies in a store: steps with their size and last use, what is damaged, and what unfinished work left. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepKind } from '../plan.ts';
import { storePlaces } from '../store.ts';
import { isLiving, ownerOf } from './lock.ts';
import { checkStep, MANIFEST } from './manifest.ts';

/** One step's folder. */
export interface Entry {
  kind: StepKind;
  key: string;
  folder: string;
  label: string;
  inputs: string[];
  bytes: number;
  /** To the hour; when it was made, where its store is only read. Milliseconds. */
  lastUse: number;
  /** What is wrong with it, in words. */
  damage?: string;
}

/** What no step's place holds: folders of unfinished steps, removed ones, locks. */
export interface Leftover {
  path: string;
  bytes: number;
  /** Milliseconds. */
  changed: number;
}

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).then(
    (names) => names.sort(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
      throw error;
    },
  );

async function bytesOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return found?.size ?? 0;
  let sum = 0;
  for (const name of await namesIn(path)) sum += await bytesOf(join(path, name));
  return sum;
}

/** All steps, by kind and key. `deep` reads every file and compares checksums. */
export async function listSteps(root: string, deep: boolean, signal?: AbortSignal): Promise<Entry[]> {
  const { steps } = storePlaces(root);
  const entries: Entry[] = [];
  for (const kind of (await namesIn(steps)) as StepKind[]) {
    for (const start of await namesIn(join(steps, kind))) {
      for (const key of await namesIn(join(steps, kind, start))) {
        signal?.throwIfAborted();
        const folder = join(steps, kind, start, key);
        const found = await checkStep(folder, { kind, key }, deep);
        if (found === undefined) continue;
        const times = await stat(join(folder, MANIFEST)).catch(() => stat(folder).catch(() => undefined));
        const place = { kind, key, folder, bytes: await bytesOf(folder), lastUse: times?.mtimeMs ?? 0 };
        if (typeof found === 'string') entries.push({ ...place, label: '', inputs: [], damage: found });
        else entries.push({ ...place, label: found.label, inputs: found.inputs });
      }
    }
  }
  return entries;
}

/** Inputs of steps that the store has no more: such a step is whole, but cannot be retraced. */
export function missingInputs(entries: readonly Entry[]): { entry: Entry; missing: string[] }[] {
  const known = new Set(entries.filter(({ damage }) => damage === undefined).map(({ key }) => key));
  return entries
    .map((entry) => ({ entry, missing: entry.inputs.filter((input) => !known.has(input)) }))
    .filter(({ missing }) => missing.length > 0);
}

/** What nobody who is alive works on: folders of unfinished or removed steps, and locks. */
export async function listLeftovers(root: string): Promise<Leftover[]> {
  const { partial, locks, lock } = storePlaces(root);
  const paths: string[] = [];
  for (const name of await namesIn(partial)) {
    const [key, id] = name.split('.');
    const owner = await ownerOf(lock(key!));
    if (!(owner && owner.id === id && isLiving(owner))) paths.push(join(partial, name));
  }
  for (const name of await namesIn(locks)) {
    const path = join(locks, name);
    const owner = await ownerOf(path);
    // An older version's locks are files.
    const living = owner ? isLiving(owner) : false;
    if (!living) paths.push(path);
  }
  const found: Leftover[] = [];
  for (const path of paths) {
    const changed = (await stat(path).catch(() => undefined))?.mtimeMs;
    if (changed !== undefined) found.push({ path, bytes: await bytesOf(path), changed });
  }
  return found;
}
