/**
 * @file The store: outputs of steps, addressed by the steps' keys. A step's folder appears whole or not at all, and
 * carries checksums, so that a damaged one is found, said and computed again.
 */
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { atomicWriteFile, atomicWriteJson, writeError } from './io/atomic.ts';
import { ensureFolder } from './io/ensure-folder.ts';
import { sha256File } from './io/hash.ts';
import { readJson } from './io/json.ts';
import type { StepKind } from './plan.ts';
import { withLock } from './store/lock.ts';

const MANIFEST = 'manifest.json';
const FORMAT = 1;

interface Manifest {
  format: number;
  kind: StepKind;
  key: string;
  /** What the step says about itself: seconds, backend, numbers for results. */
  meta: Record<string, unknown>;
  files: Record<string, { bytes: number; sha256: string }>;
}

/** A step's output that was checked against its checksums. */
export interface StoredStep {
  folder: string;
  meta: Record<string, unknown>;
}

export interface ComputeOptions {
  /** Keep what an interrupted attempt left, for `make` to continue from. */
  resumable?: boolean;
  signal?: AbortSignal;
}

export interface Store {
  root: string;
  /** Whether the step is there, judged by its manifest and file sizes; contents are checked by `open`. */
  has(kind: StepKind, key: string): Promise<boolean>;
  /** The step, or undefined when it is missing or damaged; a damaged one is said and removed. */
  open(kind: StepKind, key: string): Promise<StoredStep | undefined>;
  /**
   * The step, computed when it is not there: `make` fills the folder and returns what the step says about itself.
   * Two processes that need one step compute it once.
   */
  compute(
    kind: StepKind,
    key: string,
    make: (folder: string) => Promise<Record<string, unknown>>,
    options?: ComputeOptions,
  ): Promise<StoredStep & { computed: boolean }>;
  /** @throws UserError when the store cannot be written or its disk is full. */
  checkWritable(): Promise<void>;
}

/** @throws UserError when a folder (made when missing) cannot be written or its disk is full. */
export async function checkWritable(folder: string): Promise<void> {
  const probe = join(folder, `.probe-${process.pid}`);
  await atomicWriteFile(probe, new Uint8Array(PROBE_BYTES), { durable: false });
  await rm(probe, { force: true });
}

/** Bytes that must be writable for a run to go on: the size of a small step. */
const PROBE_BYTES = 1 << 20;

/**
 * Opens the store in a folder, made when it is not there.
 *
 * @param say Told about damaged steps and about waiting for another process.
 */
export function openStore(root: string, say: (line: string) => void): Store {
  const absolute = resolve(root);
  const folderOf = (kind: StepKind, key: string) => join(absolute, 'steps', kind, key.slice(0, 2), key);

  async function inspect(kind: StepKind, key: string, deep: boolean): Promise<StoredStep | string | undefined> {
    const folder = folderOf(kind, key);
    if (!existsSync(folder)) return undefined;
    let manifest: Manifest;
    try {
      manifest = (await readJson(join(folder, MANIFEST), 'store')) as Manifest;
    } catch (error) {
      return (error as Error).message;
    }
    if (manifest?.format !== FORMAT || manifest.key !== key) return `${MANIFEST} is of another format or step`;
    for (const [name, { bytes, sha256 }] of Object.entries(manifest.files)) {
      const path = join(folder, name);
      const size = (await stat(path).catch(() => undefined))?.size;
      if (size === undefined) return `${name} is missing`;
      if (size !== bytes) return `${name} has ${size} bytes instead of ${bytes}`;
      if (deep && (await sha256File(path)) !== sha256) return `${name} has another checksum`;
    }
    return { folder, meta: manifest.meta };
  }

  async function openStep(kind: StepKind, key: string): Promise<StoredStep | undefined> {
    const found = await inspect(kind, key, true);
    if (typeof found !== 'string') return found;
    say(`store: step ${kind} ${key.slice(0, 12)} is damaged (${found}); it is computed again.`);
    await rm(folderOf(kind, key), { recursive: true, force: true });
    return undefined;
  }

  async function make(
    kind: StepKind,
    key: string,
    fill: (folder: string) => Promise<Record<string, unknown>>,
    resumable: boolean,
  ): Promise<StoredStep> {
    const partial = join(absolute, 'partial', key);
    const target = folderOf(kind, key);
    const drop = () => rm(partial, { recursive: true, force: true }).catch(() => undefined);
    let meta: Record<string, unknown>;
    try {
      if (!resumable) await rm(partial, { recursive: true, force: true });
      await ensureFolder(partial);
    } catch (error) {
      throw writeError(absolute, error);
    }
    try {
      meta = await fill(partial);
    } catch (error) {
      if (!resumable || (await readdir(partial)).length === 0) await drop();
      throw error;
    }
    try {
      const files = await checksums(partial);
      const manifest: Manifest = { format: FORMAT, kind, key, meta, files };
      // No waiting for the disk: what a power cut damages, the checksums find.
      await atomicWriteJson(join(partial, MANIFEST), manifest, { durable: false });
      await ensureFolder(dirname(target));
      await rename(partial, target);
      return { folder: target, meta };
    } catch (error) {
      if (!resumable) await drop();
      throw writeError(absolute, error);
    }
  }

  return {
    root: absolute,
    has: async (kind, key) => typeof (await inspect(kind, key, false)) === 'object',
    open: openStep,
    compute: (kind, key, fill, { resumable = false, signal } = {}) =>
      withLock(
        join(absolute, 'locks', `${key}.lock`),
        async () => {
          const found = await openStep(kind, key);
          if (found) return { ...found, computed: false };
          return { ...(await make(kind, key, fill, resumable)), computed: true };
        },
        {
          signal,
          onWait: (holder) => say(`store: waiting for ${holder}, which computes ${kind} ${key.slice(0, 12)}.`),
        },
      ),
    checkWritable: () => checkWritable(absolute),
  };
}

/** Size and checksum of every file below a folder. */
async function checksums(folder: string): Promise<Manifest['files']> {
  const files: Manifest['files'] = {};
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) {
    files[relative(folder, path)] = { bytes: (await stat(path)).size, sha256: await sha256File(path) };
  }
  if (Object.keys(files).length === 0) throw new Error(`store: ${folder}: the step left no file`);
  return files;
}
