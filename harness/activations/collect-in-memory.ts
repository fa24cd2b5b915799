/** @file Activations of a few items at one site, in memory: of texts that a task makes. */
import type { ActivationSet, Item, Subject } from '../contract.ts';
import { UserError } from '../errors.ts';
import { memorySet } from './activation-set.ts';
import { lengthBatches } from './collect.ts';
import { encodeBatch, type ItemActivations, inputsOf, rowRoom } from './encode-batch.ts';
import { type CollectPolicy, resolvePolicy } from './policy.ts';
import { siteOf } from './site-of.ts';

/** Rows of one forward pass, as of collected splits. */
const BATCH_ROWS = 4096;

/**
 * Every position of `items` as float32, in their order; rows are kept as the policy says.
 *
 * @throws UserError for items without what the site reads, and values that are not finite.
 */
export async function collectInMemory(
  subject: Subject,
  siteName: string,
  items: readonly Item[],
  { policy, maxLength }: { policy?: CollectPolicy; maxLength?: number | undefined },
  signal?: AbortSignal,
): Promise<ActivationSet> {
  const site = siteOf(subject, siteName);
  const { keeps, description } = resolvePolicy(subject, site, policy);
  const inputs = inputsOf(subject, site, items, maxLength);
  const rows: ItemActivations[] = new Array(items.length);
  const room = rowRoom([site]);
  room.clear(inputs.lengths);
  for (const batch of lengthBatches(inputs.lengths, BATCH_ROWS)) {
    signal?.throwIfAborted();
    const [found] = await encodeBatch(subject, [site], inputs, batch, room.keep);
    for (const [i, result] of found!.entries()) rows[batch[i]!] = result;
  }
  const bounds = new Uint32Array(items.length + 1);
  rows.forEach(({ tokenIds }, i) => {
    bounds[i + 1] = bounds[i]! + tokenIds.length;
  });
  const n = bounds[items.length]!;
  const x = new Float32Array(n * site.d);
  const [tokenIds, positions, keep] = [new Int32Array(n), new Uint32Array(n), new Uint8Array(n)];
  rows.forEach((row, i) => {
    const start = bounds[i]!;
    if (!row.x.every(Number.isFinite)) {
      throw new UserError(
        `activations: subject ${subject.id} gave values that are not finite at ${site.name} for item '${items[i]!.id}'; check its weights.`,
      );
    }
    x.set(row.x, start * site.d);
    tokenIds.set(row.tokenIds, start);
    row.tokenIds.forEach((id, position) => {
      positions[start + position] = position;
      keep[start + position] = keeps(id, position) ? 1 : 0;
    });
  });
  return memorySet(x, site.d, {
    bounds,
    tokenIds,
    positions,
    keep,
    policy: description,
    key: `in memory ${site.name}`,
  });
}
