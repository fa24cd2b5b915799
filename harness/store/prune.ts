/** @file Prunes a store: what is old, too much or behind no result, never what a living process uses. */
import { lstat, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { writeError } from '../io/atomic.ts';
import { moveAway, storePlaces } from '../store.ts';
import { type Entry, type Leftover, listLeftovers, listSteps } from './inventory.ts';
import { isLiving, ownerOf, tryLock } from './lock.ts';
import { listReplies, type ReplyFile } from './reply-files.ts';
import { livingRuns } from './runs.ts';

export interface PruneRules {
  /** Remove what was not used for so long, in milliseconds. */
  olderThan?: number;
  /** Remove what was not used for longest, until all steps have at most so many bytes. */
  maxBytes?: number;
  /** Remove what is neither among these keys nor what those steps were made from. */
  referenced?: ReadonlySet<string>;
}

export interface PrunePlan {
  /** Steps to remove, each with the reason. */
  steps: { entry: Entry; reason: string }[];
  leftovers: Leftover[];
  /** Replies of judges to remove: damaged, or not used for long. Other rules speak of steps: a reply outlives them. */
  replies: { file: ReplyFile; reason: string }[];
  keptReplies: number;
  /** Steps that the rules name but a living process holds or uses. */
  inUse: Entry[];
  kept: Entry[];
}

/** An interrupted training goes on from its folder: for a day, unless a rule says otherwise. */
const LEFTOVER_MS = 24 * 3_600_000;

/** Keys that living processes compute, or use in a run. */
async function keysInUse(root: string, keys: readonly string[]): Promise<Set<string>> {
  const { locks, lock } = storePlaces(root);
  const used = new Set((await livingRuns(locks)).flatMap(({ holder }) => holder.uses ?? []));
  for (const key of keys) {
    const owner = await ownerOf(lock(key));
    if (owner && isLiving(owner)) used.add(key);
  }
  return used;
}

/** Keys with those of all steps that they were made from: a result names of these only what it shows. */
function withInputs(keys: ReadonlySet<string>, entries: readonly Entry[]): Set<string> {
  const inputs = new Map(entries.map((entry) => [entry.key, entry.inputs]));
  const all = new Set(keys);
  // A set goes on to what is added to it meanwhile.
  for (const key of all) for (const input of inputs.get(key) ?? []) all.add(input);
  return all;
}

/** Replies that go, with the reason. */
async function planReplies(root: string, { olderThan }: PruneRules, now: number) {
  const all = await listReplies(root, true);
  const replies = all.flatMap((file) => {
    if (file.damage !== undefined) return [{ file, reason: `damaged: ${file.damage}` }];
    const old = olderThan !== undefined && now - file.lastUse > olderThan;
    return old ? [{ file, reason: 'not used for long' }] : [];
  });
  return { replies, keptReplies: all.length - replies.length };
}

/** What the rules remove; damaged steps and replies in any case. */
export async function planPrune(root: string, rules: PruneRules, now: number): Promise<PrunePlan> {
  const { olderThan, maxBytes } = rules;
  const entries = await listSteps(root, false);
  const referenced = rules.referenced && withInputs(rules.referenced, entries);
  const reasons = new Map<Entry, string>();
  for (const entry of entries) {
    if (entry.damage !== undefined) reasons.set(entry, `damaged: ${entry.damage}`);
    else if (referenced && !referenced.has(entry.key)) reasons.set(entry, 'behind no result');
    else if (olderThan !== undefined && now - entry.lastUse > olderThan) reasons.set(entry, 'not used for long');
  }
  if (maxBytes !== undefined) {
    const left = entries.filter((entry) => !reasons.has(entry)).sort((a, b) => a.lastUse - b.lastUse);
    let bytes = left.reduce((sum, entry) => sum + entry.bytes, 0);
    for (const entry of left) {
      if (bytes <= maxBytes) break;
      reasons.set(entry, 'too much');
      bytes -= entry.bytes;
    }
  }
  const used = await keysInUse(
    root,
    entries.map(({ key }) => key),
  );
  const chosen = entries.filter((entry) => reasons.has(entry));
  const leftovers = await listLeftovers(root);
  return {
    steps: chosen.filter(({ key }) => !used.has(key)).map((entry) => ({ entry, reason: reasons.get(entry)! })),
    leftovers: leftovers.filter(({ changed }) => now - changed > (olderThan ?? LEFTOVER_MS)),
    ...(await planReplies(root, rules, now)),
    inUse: chosen.filter(({ key }) => used.has(key)),
    kept: entries.filter((entry) => !reasons.has(entry) || used.has(entry.key)),
  };
}

/**
 * Removes what unfinished work left, unless a process took it up. Its lock goes first: who slept through its lease must
 * not find it held, and a part of its folder gone.
 */
async function removeLeftover(root: string, path: string): Promise<boolean> {
  const { partial, lock } = storePlaces(root);
  if (dirname(path) !== partial) {
    // An older version's locks are files.
    if ((await lstat(path).catch(() => undefined))?.isFile()) return rm(path, { force: true }).then(() => true);
    return tryLock(path, async () => {});
  }
  const [key, id] = basename(path).split('.');
  let aside: string | undefined;
  const move = async () => {
    aside = await moveAway(root, path);
  };
  // Where a living one has the lock, the folder is another's, unless that one woke up.
  if (!(await tryLock(lock(key!), move)) && (await ownerOf(lock(key!)))?.id !== id) await move();
  if (aside === undefined) return false;
  await rm(aside, { recursive: true, force: true });
  return true;
}

/**
 * Removes what a plan says, except what a process took up in the meantime.
 *
 * @returns Bytes that are free now.
 * @throws UserError when the store cannot be written.
 */
export async function prune(root: string, plan: PrunePlan, signal?: AbortSignal): Promise<number> {
  const { lock } = storePlaces(root);
  let freed = 0;
  try {
    for (const { entry } of plan.steps) {
      signal?.throwIfAborted();
      await tryLock(lock(entry.key), async () => {
        const aside = await moveAway(root, entry.folder);
        if (aside === undefined) return;
        const runs = await livingRuns(storePlaces(root).locks);
        // A run that began just before may have opened it.
        if (runs.some(({ holder }) => holder.uses?.includes(entry.key))) return rename(aside, entry.folder);
        await rm(aside, { recursive: true, force: true });
        freed += entry.bytes;
      });
    }
    for (const { file } of plan.replies) {
      signal?.throwIfAborted();
      await rm(file.path, { force: true });
      freed += file.bytes;
    }
    for (const { path, bytes } of plan.leftovers) {
      signal?.throwIfAborted();
      if (await removeLeftover(root, path)) freed += bytes;
    }
  } catch (error) {
    throw writeError(root, error);
  }
  return freed;
}
