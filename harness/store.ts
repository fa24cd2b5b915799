/**
 * @file The store: outputs of steps, addressed by the steps' keys. A step's folder has one writer, appears whole or not
 * at all, and carries checksums, so that a damaged one is found, said and computed again. A complete store is only read.
 */
import { randomUUID } from 'node:crypto';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UserError } from './errors.ts';
import { atomicWriteFile, writeError } from './io/atomic.ts';
import { ensureFolder } from './io/ensure-folder.ts';
import { STEP_KINDS, type StepKind } from './plan.ts';
import { isOwn, nameOf } from './store/holder.ts';
import { isLiving, LEASE_MS, type Lease, ownerOf, withLock } from './store/lock.ts';
import { checkStep, MANIFEST, type StepFacts, writeManifest } from './store/manifest.ts';
import { livingRuns, RUN_LOCK, sweepDeadRuns } from './store/runs.ts';
import { noteUse } from './store/use.ts';

/** A step's output that was checked against its checksums. */
export interface StoredStep {
  folder: string;
  meta: Record<string, unknown>;
}

export interface ComputeOptions {
  /** Keep what an interrupted attempt left, for `make` to continue from. */
  resumable?: boolean;
  signal?: AbortSignal;
  /** What the step is, in words. */
  label?: string;
  /** Keys of the steps that it reads. */
  inputs?: readonly string[];
}

export interface Store {
  root: string;
  /** Whether the step is there, judged by its manifest and file sizes; contents are checked by `open`. */
  has(kind: StepKind, key: string): Promise<boolean>;
  /** The step, or undefined when it is missing or damaged; a damaged one is said. Writes nothing. */
  open(kind: StepKind, key: string): Promise<StoredStep | undefined>;
  /**
   * The step, computed when it is not there or damaged: `make` fills the folder and returns what the step says about
   * itself. Two processes that need one step compute it once; only where one of them slept longer than its lease, another
   * host computes it a second time, and both are given one and the same.
   */
  compute(
    kind: StepKind,
    key: string,
    make: (folder: string) => Promise<Record<string, unknown>>,
    options?: ComputeOptions,
  ): Promise<StoredStep & { computed: boolean }>;
  /** A step of whichever kind, with its folder on this machine; undefined when it is missing or damaged. */
  fetch(key: string): Promise<StoredStep | undefined>;
  /** Runs `work`, for whose time no other process removes the steps of these keys. */
  using<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>;
  /**
   * Removes steps, so that they are computed again.
   * @throws UserError when another process is using one of them.
   */
  drop(steps: readonly { kind: StepKind; key: string }[], signal?: AbortSignal): Promise<void>;
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

/** Where the parts of a store lie. */
export const storePlaces = (root: string) => ({
  steps: join(root, 'steps'),
  partial: join(root, 'partial'),
  locks: join(root, 'locks'),
  lock: (key: string) => join(root, 'locks', key),
  step: (kind: StepKind, key: string) => join(root, 'steps', kind, key.slice(0, 2), key),
});

/**
 * Moves a folder of the store out of the way in one go, and gives the place: nobody finds half of it. Undefined when it
 * is not there.
 */
export async function moveAway(root: string, folder: string): Promise<string | undefined> {
  const { partial } = storePlaces(root);
  const aside = join(partial, `removed.${randomUUID()}`);
  await ensureFolder(partial);
  try {
    await rename(folder, aside);
    return aside;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Opens the store in a folder, made when it is not there.
 *
 * @param say Told about damaged steps and about waiting for another process.
 * @param options `leaseMs`: how long a process on another host that is not heard of keeps what it computes.
 */
export function openStore(root: string, say: (line: string) => void, { leaseMs = LEASE_MS } = {}): Store {
  const absolute = resolve(root);
  const places = storePlaces(absolute);
  const told = new Set<string>();

  const has = async (kind: StepKind, key: string) =>
    typeof (await checkStep(places.step(kind, key), { kind, key }, false)) === 'object';

  async function open(kind: StepKind, key: string): Promise<StoredStep | undefined> {
    const folder = places.step(kind, key);
    const found = await checkStep(folder, { kind, key }, true);
    if (typeof found === 'string') {
      if (!told.has(key)) say(`store: step ${kind} ${key.slice(0, 12)} is damaged (${found}); it is computed again.`);
      told.add(key);
    }
    if (typeof found !== 'object') return undefined;
    await noteUse(join(folder, MANIFEST));
    return { folder, meta: found.meta };
  }

  async function discard(folder: string): Promise<void> {
    const aside = await moveAway(absolute, folder);
    if (aside !== undefined) await rm(aside, { recursive: true, force: true });
  }

  async function remove(kind: StepKind, key: string): Promise<void> {
    await discard(places.step(kind, key)).catch((error: unknown) => {
      throw writeError(absolute, error);
    });
  }

  /** A folder of this owner alone: what an earlier attempt left where that serves, else empty. */
  async function ownFolder(key: string, owner: string, resumable: boolean): Promise<string> {
    const own = join(places.partial, `${key}.${owner}`);
    await ensureFolder(places.partial);
    const left = (await readdir(places.partial)).filter((name) => name.startsWith(`${key}.`)).sort();
    for (const name of left) {
      const earlier = join(places.partial, name);
      // Renamed, it is nobody else's any more.
      if (resumable) await rename(earlier, own).catch(() => undefined);
      await discard(earlier);
    }
    await ensureFolder(own);
    return own;
  }

  /** Puts a finished folder into its place. What another owner put there first is taken instead, when it is whole. */
  async function commit(own: string, { kind, key }: StepFacts): Promise<void> {
    const target = places.step(kind, key);
    await ensureFolder(dirname(target));
    for (let attempt = 0; ; attempt++) {
      try {
        return await rename(own, target);
      } catch (error) {
        if (attempt > 0 || !(await lstat(target).catch(() => undefined))) throw error;
      }
      if (typeof (await checkStep(target, { kind, key }, true)) === 'object') {
        return rm(own, { recursive: true, force: true });
      }
      await remove(kind, key);
    }
  }

  /** Fills a folder and puts it into its place; undefined when the lease lapsed, for what is in the folder may be gone. */
  async function make(
    facts: Omit<StepFacts, 'meta'>,
    lease: Lease,
    fill: (folder: string) => Promise<Record<string, unknown>>,
    resumable: boolean,
  ): Promise<StoredStep | undefined> {
    const { kind, key } = facts;
    const own = await ownFolder(key, lease.owner, resumable).catch((error: unknown) => {
      throw writeError(absolute, error);
    });
    const drop = () => rm(own, { recursive: true, force: true }).catch(() => undefined);
    let meta: Record<string, unknown>;
    try {
      meta = await fill(own);
    } catch (error) {
      const held = await lease.held();
      if (!held || !resumable || (await readdir(own).catch(() => [])).length === 0) await drop();
      if (!held) return undefined;
      throw error;
    }
    try {
      await writeManifest(own, { ...facts, meta });
      // Checksums take their time. Whoever took the lease over meanwhile took the folder away.
      if (await lease.held()) {
        await commit(own, { ...facts, meta });
        return { folder: places.step(kind, key), meta };
      }
    } catch (error) {
      if (await lease.held()) {
        if (!resumable) await drop();
        throw writeError(absolute, error);
      }
    }
    await drop();
    return undefined;
  }

  return {
    root: absolute,
    has,
    open,
    async compute(kind, key, fill, { resumable = false, signal, label = '', inputs = [] } = {}) {
      const name = `${kind} ${key.slice(0, 12)}`;
      const computeOnce = async (lease: Lease) => {
        const found = await open(kind, key);
        if (found) return { ...found, computed: false };
        await remove(kind, key);
        const facts = { kind, key, label, inputs: [...inputs].sort() };
        const step = await make(facts, lease, fill, resumable);
        if (!step) return undefined;
        // Damage from now on is other damage.
        told.delete(key);
        return { ...step, computed: true };
      };
      const onWait = (holder: string) => say(`store: waiting for ${holder}, which computes ${name}.`);
      for (;;) {
        // Without a lock first: what is there needs no writing.
        const there = await open(kind, key);
        if (there) return { ...there, computed: false };
        const step = await withLock(places.lock(key), computeOnce, { signal, onWait, leaseMs });
        if (step) return step;
        signal?.throwIfAborted();
        say(`store: ${name} was taken over while this process was not heard of.`);
      }
    },
    async fetch(key) {
      for (const kind of STEP_KINDS) {
        if (await has(kind, key)) return open(kind, key);
      }
      return undefined;
    },
    async using(keys, work) {
      await sweepDeadRuns(places.locks);
      return withLock(join(places.locks, `${RUN_LOCK}${randomUUID()}`), work, { uses: keys });
    },
    async drop(steps, signal) {
      const keys = new Set(steps.map(({ key }) => key));
      for (const { holder, renewed } of await livingRuns(places.locks)) {
        if (isOwn(holder) || !holder.uses?.some((key) => keys.has(key))) continue;
        throw new UserError(
          `store ${absolute}: ${nameOf(holder, renewed)} is using steps that --force would remove: let it end first.`,
        );
      }
      for (const { kind, key } of steps) {
        const owner = await ownerOf(places.lock(key));
        if (!(await lstat(places.step(kind, key)).catch(() => undefined)) && !(owner && isLiving(owner))) continue;
        await withLock(places.lock(key), () => remove(kind, key), { signal });
      }
    },
    checkWritable: () => checkWritable(absolute),
  };
}
