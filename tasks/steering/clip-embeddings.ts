/** @file Image embeddings of a CLIP, as they are and with every image steered in its own way. */
import { type Clip, type FittedMethod, type Item, tf } from '../../harness/contract.ts';
import { type Kind, type RowSteering, steer, steered } from './interventions.ts';

/** Pixel values of one pass: bounds its memory. */
const PIXEL_VALUES = 2 ** 22;

/** The embedding itself: steering it needs no pass through the tower. */
const EMBEDDING_SITE = 'vision.embed';

export interface Images {
  items: readonly Item[];
  /** Clean embeddings as they leave the tower, not normalised: row-major [items, dim]. */
  embeds: Float32Array;
}

/** Embeddings [items, dim], not normalised. */
export async function cleanEmbeddings(
  clip: Clip,
  items: readonly Item[],
  options: { signal?: AbortSignal; progress: (done: number, total: number) => void },
): Promise<Float32Array> {
  const out = new Float32Array(items.length * clip.projectionDim);
  const size = batchSize(clip);
  for (let from = 0; from < items.length; from += size) {
    options.signal?.throwIfAborted();
    const pixels = await clip.preprocess(items.slice(from, from + size).map(({ image }) => image!));
    const embeds = tf.tidy(() => clip.forwardImage(pixels).embeds!);
    out.set(await embeds.data(), from * clip.projectionDim);
    tf.dispose([pixels, embeds]);
    options.progress(Math.min(from + size, items.length), items.length);
  }
  return out;
}

/** Embeddings [steerings, items, dim] of all images under each steering, not normalised. */
export async function steeredEmbeddings(
  clip: Clip,
  site: string,
  images: Images,
  steerings: readonly RowSteering[],
  kind: Kind,
  method: FittedMethod,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const dim = clip.projectionDim;
  const n = images.items.length;
  const out = new Float32Array(steerings.length * n * dim);
  if (site === EMBEDDING_SITE) {
    for (const [s, steering] of steerings.entries()) {
      const rows = Array.from({ length: n }, () => steering);
      const z = tf.tidy(() => steered(tf.tensor3d(images.embeds, [n, 1, dim]), rows, kind, method));
      out.set(await z.data(), s * n * dim);
      z.dispose();
    }
    return out;
  }
  const pixels = await clip.preprocess(images.items.map(({ image }) => image!));
  const size = batchSize(clip);
  const all = steerings.flatMap((steering) => Array.from({ length: n }, (_, image) => ({ steering, image })));
  for (let from = 0; from < all.length; from += size) {
    signal?.throwIfAborted();
    const part = all.slice(from, from + size);
    const embeds = tf.tidy(() => {
      const index = tf.tensor1d(
        part.map(({ image }) => image),
        'int32',
      );
      const rows = part.map(({ steering }) => steering);
      const interventions = [steer(site, rows, kind, method)];
      return clip.forwardImage(tf.gather(pixels, index), { interventions }).embeds!;
    });
    out.set(await embeds.data(), from * dim);
    embeds.dispose();
  }
  pixels.dispose();
  return out;
}

function batchSize({ imageSize }: Clip): number {
  return Math.max(1, Math.floor(PIXEL_VALUES / (3 * imageSize * imageSize)));
}
