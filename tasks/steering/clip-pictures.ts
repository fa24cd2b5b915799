/**
 * @file Where steering takes an image, in pictures. No image is made: what is steered is an embedding, shown by the held-out
 * image whose own embedding is nearest to it, and by the zero-shot answer there.
 */
import type { Item } from '../../harness/contract.ts';
import { thumbnail } from '../../harness/kit/index.ts';

/** Of one image at one factor. */
export interface Picture {
  /** Place among the pool of the image that is steered, and of the nearest other one. */
  image: number;
  nearest: number;
  /** The answer to the target's question before and after. */
  before: number;
  after: number;
}

/**
 * Place of the pool's embedding of the largest cosine with a steered one; the image itself does not count.
 *
 * @param pool Unit rows [n, dim].
 */
export function nearestOf(steered: Float32Array, pool: Float32Array, itself: number): number {
  const dim = steered.length;
  let [best, most] = [-1, -Infinity];
  for (let i = 0; i * dim < pool.length; i++) {
    if (i === itself) continue;
    let cosine = 0;
    for (let j = 0; j < dim; j++) cosine += steered[j]! * pool[i * dim + j]!;
    if (cosine > most) [best, most] = [i, cosine];
  }
  return best;
}

/** The pictures of some factors as a result tells them: by image, what was nearest at each factor. */
export function pictureDetails(
  trials: readonly { factor: number; score: number; result: { pictures: readonly Picture[] } }[],
  pool: readonly Item[],
  labels: readonly string[],
) {
  const images = trials[0]?.result.pictures ?? [];
  return images.map(({ image, before }, i) => ({
    item: pool[image]!.id,
    answer: labels[before]!,
    steered: trials.flatMap(({ factor, score, result }) => {
      const { nearest, after } = result.pictures[i]!;
      return nearest < 0 ? [] : [{ factor, item: pool[nearest]!.id, answer: labels[after]!, overall: score }];
    }),
  }));
}

/** Thumbnails of the items named, by id. */
export async function thumbnailsOf(ids: ReadonlySet<string>, pool: readonly Item[]): Promise<Record<string, string>> {
  const images: Record<string, string> = {};
  for (const { id, image } of pool) if (image && ids.has(id)) images[id] = await thumbnail(image);
  return images;
}
