/** @file Activations of the images of pairs, to be encoded like any others. */
import { isDeepStrictEqual } from 'node:util';
import {
  type ActivationSet,
  type AttributePair,
  type Clip,
  type Item,
  type Site,
  type Tensor,
  tf,
  UserError,
} from '../../harness/contract.ts';

/** Images of one forward pass. */
const BATCH = 32;

/** Rows of images that have as many each. */
export interface ImageRows {
  /** Row-major [images · rowsPerImage, d]. */
  x: Float32Array;
  rowsPerImage: number;
}

/**
 * What the subject makes of both images of each pair: image 2p is the one before, 2p + 1 the one after.
 *
 * @param like A set of images at the same site: the positions that it keeps are kept.
 * @throws UserError for an item without an image, a pair whose two images are one, activations that are not finite, and as
 *   {@link keptPositions}.
 */
export async function pairRows(
  clip: Clip,
  site: Site,
  like: Pick<ActivationSet, 'bounds' | 'keep'>,
  pairs: readonly AttributePair[],
  progress: (done: number, total: number) => void,
): Promise<ImageRows> {
  for (const { before, after } of pairs) {
    if (!isDeepStrictEqual(imageOf(before), imageOf(after))) continue;
    throw new UserError(
      `attribute-pairs: items '${before.id}' and '${after.id}': expected two images, found the same one twice`,
    );
  }
  const items = pairs.flatMap(({ before, after }) => [before, after]);
  const kept = keptPositions(like);
  const x = new Float32Array(items.length * kept.length * site.d);
  for (let first = 0; first < items.length; first += BATCH) {
    const batch = items.slice(first, first + BATCH);
    const pixels = await clip.preprocess(batch.map(imageOf));
    const rows = tf.tidy(() => {
      const names = site.parts ?? [site.name];
      const { captured } = clip.forwardImage(pixels, { capture: [...names], output: false });
      const all = tf.concat(
        names.map((name) => captured[name]!),
        2,
      );
      return tf.reshape(tf.gather(all, kept, 1), [batch.length * kept.length, site.d]);
    });
    x.set(await rows.data<'float32'>(), first * kept.length * site.d);
    tf.dispose([pixels, rows] as Tensor[]);
    progress(first + batch.length, items.length);
  }
  const bad = x.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const { id } = items[Math.floor(bad / (kept.length * site.d))]!;
    throw new UserError(`attribute-pairs: item '${id}': expected finite activations at ${site.name}, found ${x[bad]}`);
  }
  return { x, rowsPerImage: kept.length };
}

/** The positions that a set of images keeps. @throws UserError where they are others in each image: a filter by norm. */
export function keptPositions({ bounds, keep }: Pick<ActivationSet, 'bounds' | 'keep'>): number[] {
  const first = keep.subarray(0, bounds[1]);
  for (const start of bounds.subarray(0, -1)) {
    if (first.every((flag, position) => flag === keep[start + position])) continue;
    throw new UserError(
      'attribute-pairs: expected a filter that leaves out the same positions of every image (first=1); found one by norm: ' +
        'leave maxNorm out of --positions.',
    );
  }
  return [...first.keys()].filter((position) => first[position] === 1);
}

function imageOf({ id, image }: Item): NonNullable<Item['image']> {
  if (image) return image;
  throw new UserError(`attribute-pairs: item '${id}': expected an image, found none`);
}
