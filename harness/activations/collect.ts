/** @file Runs a subject over items and writes the activations of sites to a folder each, in bounded memory. */
import type { Item, Subject } from '../contract.ts';
import { UserError } from '../errors.ts';
import { encodeBatch, type ItemActivations, inputsOf, rowRoom } from './encode-batch.ts';
import { type CollectPolicy, resolvePolicy } from './policy.ts';
import { type StoredType, shardWriter } from './set-files.ts';
import { siteOf } from './site-of.ts';

/** One site, and where its activations go. */
export interface CollectTarget {
  /** Name of the site. */
  site: string;
  /** Where the set is written; made when missing. */
  folder: string;
  /** Identity of the set: a hash of everything that its rows come from. */
  key: string;
}

export interface CollectOptions {
  subject: Subject;
  /** The sites, all of one modality: one pass over the items serves them all. */
  targets: readonly CollectTarget[];
  items: readonly Item[];
  policy?: CollectPolicy;
  /** Default float32. */
  dtype?: StoredType;
  /** Texts are cut to this many tokens; default: the subject's own limit. */
  maxLength?: number;
  /** Rows (items × longest length) of one forward pass. Default 4,096. */
  batchRows?: number;
  signal?: AbortSignal;
  /** Items done, of all. */
  onProgress?(done: number, total: number): void;
}

/** Items that are ordered by length together, and the bytes that their activations may take in memory. */
const WINDOW_ITEMS = 1024;
const WINDOW_BYTES = 128 * 1024 * 1024;

/** Index columns that grow with the rows. */
function indexColumns(items: number) {
  const bounds = new Uint32Array(items + 1);
  let capacity = 4096;
  let n = 0;
  let tokenIds = new Int32Array(capacity);
  let positions = new Uint32Array(capacity);
  let keep = new Uint8Array(capacity);
  const grown = <T extends Int32Array | Uint32Array | Uint8Array>(old: T, made: T): T => {
    made.set(old);
    return made;
  };
  return {
    add(item: number, ids: Int32Array, keeps: (id: number, position: number) => boolean): void {
      while (n + ids.length > capacity) {
        capacity *= 2;
        tokenIds = grown(tokenIds, new Int32Array(capacity));
        positions = grown(positions, new Uint32Array(capacity));
        keep = grown(keep, new Uint8Array(capacity));
      }
      for (let position = 0; position < ids.length; position++, n++) {
        tokenIds[n] = ids[position]!;
        positions[n] = position;
        keep[n] = keeps(ids[position]!, position) ? 1 : 0;
      }
      bounds[item + 1] = n;
    },
    done: () => ({
      bounds,
      tokenIds: tokenIds.slice(0, n),
      positions: positions.slice(0, n),
      keep: keep.slice(0, n),
    }),
  };
}

/** Batches of positions in `lengths`, similar lengths together, of at most `batchRows` padded rows. */
export function lengthBatches(lengths: ArrayLike<number>, batchRows: number): number[][] {
  const order = Array.from({ length: lengths.length }, (_, i) => i).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  const batches: number[][] = [];
  for (const item of order) {
    const last = batches.at(-1);
    // In ascending order the newcomer is the longest.
    if (last && (last.length + 1) * lengths[item]! <= batchRows) last.push(item);
    else batches.push([item]);
  }
  return batches;
}

/** The first lengths whose sum is at most `rows`; at least one. */
function fitting(lengths: Uint32Array, rows: number): Uint32Array {
  let sum = lengths[0]!;
  let count = 1;
  while (count < lengths.length && sum + lengths[count]! <= rows) sum += lengths[count++]!;
  return lengths.subarray(0, count);
}

function checkFinite(x: Float32Array, subject: string, site: string, item: Item): void {
  for (let i = 0; i < x.length; i++) {
    if (Number.isFinite(x[i])) continue;
    throw new UserError(
      `activations: subject ${subject} gave ${x[i]} at ${site} for item '${item.id}'; check its weights.`,
    );
  }
}

/** What writes the activations of one target as they come. */
function targetWriter(options: CollectOptions, { site: name, folder, key }: CollectTarget) {
  const { subject, items, dtype = 'float32' } = options;
  const site = siteOf(subject, name);
  const policy = resolvePolicy(subject, site, options.policy);
  const writer = shardWriter(folder, site.d, dtype);
  const index = indexColumns(items.length);
  return {
    site,
    async add(item: number, { x, tokenIds }: ItemActivations): Promise<void> {
      checkFinite(x, subject.id, site.name, items[item]!);
      index.add(item, tokenIds, policy.keeps);
      await writer.append(x);
    },
    async finish(): Promise<void> {
      const description = { subject: subject.id, site: site.name, policy: policy.description, key };
      await writer.finish(description, index.done());
    },
  };
}

/**
 * Collects the activations of all targets over `items`, to be opened with `openActivationSet`. Every real position is
 * stored, in the order of the items; the policy decides which rows are marked as kept.
 *
 * @returns How many items there are, and how many of their texts the subject does not see to the end.
 * @throws UserError for an unknown site, items without what the sites read (text, image), and values that are not
 * finite.
 */
export async function collectActivations(options: CollectOptions): Promise<{ items: number; cut: number }> {
  const { subject, items, maxLength, batchRows = 4096, signal } = options;
  const writers = options.targets.map((target) => targetWriter(options, target));
  const sites = writers.map(({ site }) => site);
  let cut = 0;
  const rowBytes = 4 * sites.reduce((sum, { d }) => sum + d, 0);
  const room = rowRoom(sites);
  for (let first = 0; first < items.length; ) {
    const inputs = inputsOf(subject, sites[0]!, items.slice(first, first + WINDOW_ITEMS), maxLength);
    const lengths = fitting(inputs.lengths, WINDOW_BYTES / rowBytes);
    cut += inputs.cut.subarray(0, lengths.length).reduce((sum, flag) => sum + flag, 0);
    const done = sites.map((): ItemActivations[] => new Array(lengths.length));
    room.clear(lengths);
    for (const batch of lengthBatches(lengths, batchRows)) {
      signal?.throwIfAborted();
      const encoded = await encodeBatch(subject, sites, inputs, batch, room.keep);
      encoded.forEach((ofSite, s) => {
        for (const [i, result] of ofSite.entries()) done[s]![batch[i]!] = result;
      });
    }
    for (const [s, writer] of writers.entries()) {
      for (const [i, result] of done[s]!.entries()) await writer.add(first + i, result);
    }
    first += lengths.length;
    options.onProgress?.(first, items.length);
  }
  for (const writer of writers) await writer.finish();
  return { items: items.length, cut };
}
