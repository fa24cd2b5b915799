/** @file Writes the activations that a dataset has itself, in bounded memory: no network takes part. */
import type { Dataset, Item } from '../contract.ts';
import { UserError } from '../errors.ts';
import type { CollectTarget } from './collect.ts';
import { type StoredType, shardWriter } from './set-files.ts';

/** Items asked for at a time. */
const ITEMS = 1024;

/**
 * Writes one row an item, to be opened with `openActivationSet`.
 *
 * @returns As `collectActivations`: no item is cut.
 * @throws UserError for rows of another number or width, and for values that are not finite.
 */
export async function writeVectors(
  dataset: Dataset,
  subject: string,
  items: readonly Item[],
  { site: name, folder, key }: CollectTarget,
  dtype: StoredType,
  run: { signal?: AbortSignal; onProgress?(done: number, total: number): void },
): Promise<{ items: number; cut: number }> {
  const { site, rows } = dataset.activations!;
  const writer = shardWriter(folder, site.d, dtype);
  for (let first = 0; first < items.length; first += ITEMS) {
    run.signal?.throwIfAborted();
    const part = items.slice(first, first + ITEMS);
    const x = await rows(part);
    if (x.length !== part.length * site.d) {
      throw new UserError(
        `dataset ${dataset.id}: activations of ${part.length} items: expected ${part.length * site.d} numbers, ${site.d} each; found ${x.length}.`,
      );
    }
    const bad = x.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const { id } = part[Math.floor(bad / site.d)]!;
      throw new UserError(`dataset ${dataset.id}: item '${id}': expected finite activations; found ${x[bad]}.`);
    }
    await writer.append(x);
    run.onProgress?.(first + part.length, items.length);
  }
  const n = items.length;
  await writer.finish(
    { subject, site: name, policy: 'one row an item, all kept', key },
    {
      bounds: Uint32Array.from({ length: n + 1 }, (_, i) => i),
      tokenIds: new Int32Array(n).fill(-1),
      positions: new Uint32Array(n),
      keep: new Uint8Array(n).fill(1),
    },
  );
  return { items: n, cut: 0 };
}
