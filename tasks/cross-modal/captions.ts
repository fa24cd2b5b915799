/** @file What a CLIP makes of captions, and the means that each of its two clouds of embeddings is centred by. */
import { type ActivationSet, type Clip, type Item, tf, UserError } from '../../harness/contract.ts';
import { SCAN_ROWS, scanKept } from '../../harness/kit/index.ts';

/** Captions of one pass. */
const BATCH = 64;

/** The caption of an item, which is an image. */
export const captionOf = ({ caption, text }: Item): string | undefined => caption ?? text;

/**
 * Embeddings of the items' captions at `text.embed`, row-major [items.length, d].
 *
 * @throws UserError for embeddings that are not finite.
 */
export async function captionEmbeddings(
  clip: Clip,
  items: readonly Item[],
  progress: (done: number) => void,
): Promise<Float32Array> {
  const d = clip.projectionDim;
  const all = new Float32Array(items.length * d);
  for (let from = 0; from < items.length; from += BATCH) {
    const batch = items.slice(from, from + BATCH);
    const { embeds } = clip.forwardText(clip.tokenize(batch.map((item) => captionOf(item)!)));
    all.set((await embeds!.data()) as Float32Array, from * d);
    tf.dispose(embeds!);
    progress(from + batch.length);
  }
  const bad = all.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return all;
  const { id } = items[Math.floor(bad / d)]!;
  throw new UserError(`cross-modal: item '${id}': expected a finite embedding of its caption, found ${all[bad]}`);
}

/** The mean of rows [n, d]. */
export function meanRow(rows: Float32Array, d: number): Float64Array {
  const mean = new Float64Array(d);
  for (let i = 0; i < rows.length; i++) mean[i % d]! += rows[i]!;
  return mean.map((sum) => (sum * d) / Math.max(1, rows.length));
}

/** The mean of a set's kept rows. */
export async function meanOfSet(set: ActivationSet): Promise<Float64Array> {
  const sum = new Float64Array(set.d_in);
  let rows = 0;
  for await (const batch of scanKept(set, SCAN_ROWS)) {
    for (let i = 0; i < batch.x.length; i++) sum[i % set.d_in]! += batch.x[i]!;
    rows += batch.rows;
  }
  return sum.map((value) => value / Math.max(1, rows));
}

/** The sum of the squared distances of rows [n, d] from a point. */
export function squareAround(rows: ArrayLike<number>, point: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += (rows[i]! - point[i % point.length]!) ** 2;
  return sum;
}

/** Rows brought from the cloud around one mean to that around another, `scale` times as far from it. */
export function moved(rows: Float32Array, from: Float64Array, to: Float64Array, scale: number): Float32Array {
  return rows.map((value, i) => (value - from[i % from.length]!) * scale + to[i % to.length]!);
}
