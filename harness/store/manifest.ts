/** @file What a step's folder says about itself: its files with their checksums, under a checksum of its own. */
import { lstat, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { atomicWriteJson } from '../io/atomic.ts';
import { sha256File, sha256Json } from '../io/hash.ts';
import { readJson } from '../io/json.ts';
import type { StepKind } from '../plan.ts';

export const MANIFEST = 'manifest.json';
const FORMAT = 2;

/** What a step is, beside what it holds. */
export interface StepFacts {
  kind: StepKind;
  key: string;
  /** In words, for a person who looks into the store; no part of the key. */
  label: string;
  /** Keys of the steps that it was made from. */
  inputs: string[];
  /** What the step says about itself: seconds, backend, numbers for results. */
  meta: Record<string, unknown>;
}

export interface Manifest extends StepFacts {
  format: number;
  files: Record<string, { bytes: number; sha256: string }>;
}

/** Files that no step writes but a desktop or a network file system may leave. */
const isForeign = (name: string) => name.split(sep).some((part) => part.startsWith('.'));

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => name !== MANIFEST && !isForeign(name))
    .sort();
}

/** Writes the manifest of what lies in a folder. */
export async function writeManifest(folder: string, facts: StepFacts): Promise<void> {
  const files: Manifest['files'] = {};
  for (const name of await filesBelow(folder)) {
    const path = join(folder, name);
    files[name] = { bytes: (await stat(path)).size, sha256: await sha256File(path) };
  }
  if (Object.keys(files).length === 0) throw new Error(`store: ${folder}: the step left no file`);
  const manifest: Manifest = { format: FORMAT, ...facts, files };
  // No waiting for the disk: what a power cut damages, the checksums find.
  await atomicWriteJson(join(folder, MANIFEST), { ...manifest, sha256: sha256Json(manifest) }, { durable: false });
}

/**
 * The manifest of a step that is whole; what is wrong with it, in words; undefined where nothing is.
 *
 * @param deep Whether to read all files; else their sizes count.
 */
export async function checkStep(
  folder: string,
  step: Pick<StepFacts, 'kind' | 'key'>,
  deep: boolean,
): Promise<Manifest | string | undefined> {
  // Not what it points to: a link to nothing is in the way all the same.
  if (!(await lstat(folder).catch(() => undefined))) return undefined;
  let read: Manifest & { sha256: string };
  try {
    read = (await readJson(join(folder, MANIFEST), 'store')) as typeof read;
  } catch (error) {
    return (error as Error).message.replace(/\.$/, '');
  }
  const { sha256, ...manifest } = read ?? {};
  if (manifest.format !== FORMAT || manifest.key !== step.key || manifest.kind !== step.kind) {
    return `${MANIFEST} is of another format or step`;
  }
  if (sha256 !== sha256Json(manifest)) return `${MANIFEST} has another checksum`;
  for (const [name, expected] of Object.entries(manifest.files)) {
    const path = join(folder, name);
    const size = (await stat(path).catch(() => undefined))?.size;
    if (size === undefined) return `${name} is missing`;
    if (size !== expected.bytes) return `${name} has ${size} bytes instead of ${expected.bytes}`;
    if (deep && (await sha256File(path)) !== expected.sha256) return `${name} has another checksum`;
  }
  if (deep) {
    const extra = (await filesBelow(folder)).find((name) => !Object.hasOwn(manifest.files, name));
    if (extra !== undefined) return `${extra} is none of its files`;
  }
  return manifest;
}
