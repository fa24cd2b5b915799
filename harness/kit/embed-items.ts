/** @file One vector an item from an encoder: what the MS score compares items by, and a judge by likeness would. */
import type { Item } from '../contract/data.ts';
import type { Subject } from '../contract/subject.ts';
import { UserError } from '../errors.ts';
import { joined } from '../num/join.ts';
import { type Tensor2D, tf } from '../num/tf.ts';

/** Texts and images of one pass. */
const TEXTS = 32;
const IMAGES = 16;

/** What of items a model makes one vector of. */
export function readsOf(encoder: Subject): ('text' | 'image')[] {
  return [
    ...('forwardText' in encoder ? (['text'] as const) : []),
    ...('forwardImage' in encoder ? (['image'] as const) : []),
  ];
}

/**
 * Embeddings of items, row-major [items.length, dim], as the encoder gives them: of their images where all have one and the
 * encoder reads images, else of their texts. Texts of about one length are embedded together, which changes no number but by
 * rounding.
 *
 * @throws UserError where items have nothing that the encoder reads.
 */
export async function embedItems(
  encoder: Subject,
  items: readonly Item[],
  signal?: AbortSignal,
): Promise<{ data: Float32Array; dim: number }> {
  if ('forwardImage' in encoder && items.every(({ image }) => image)) {
    return inBatches(items, IMAGES, signal, async (batch) => {
      const pixels = await encoder.preprocess(batch.map(({ image }) => image!));
      try {
        return encoder.forwardImage(pixels).embeds!;
      } finally {
        pixels.dispose();
      }
    });
  }
  if ('forwardText' in encoder) {
    const texts = items.map(({ id, text }) => {
      if (text !== undefined) return text;
      throw new UserError(`embedder ${encoder.id}: reads texts; item '${id}' has none.`);
    });
    const order = Array.from(texts.keys()).sort((a, b) => texts[a]!.length - texts[b]!.length || a - b);
    const { data, dim } = await inBatches(order, TEXTS, signal, async (batch) => {
      return encoder.forwardText(encoder.tokenize(batch.map((place) => texts[place]!))).embeds!;
    });
    const sorted = new Float32Array(data.length);
    for (const [row, place] of order.entries()) sorted.set(data.subarray(row * dim, (row + 1) * dim), place * dim);
    return { data: sorted, dim };
  }
  const wanted = 'forwardImage' in encoder ? 'reads images, and not every item has one' : 'gives no vector of an item';
  throw new UserError(`embedder ${encoder.id}: ${wanted}.`);
}

async function inBatches<T>(
  all: readonly T[],
  size: number,
  signal: AbortSignal | undefined,
  embed: (batch: T[]) => Promise<Tensor2D>,
): Promise<{ data: Float32Array; dim: number }> {
  const parts: Float32Array[] = [];
  let dim = 0;
  for (let from = 0; from < all.length; from += size) {
    signal?.throwIfAborted();
    const embeds = await embed(all.slice(from, from + size));
    dim = embeds.shape[1];
    parts.push((await embeds.data()) as Float32Array);
    tf.dispose(embeds);
  }
  return { data: joined(Float32Array, parts), dim };
}
