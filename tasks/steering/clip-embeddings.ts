/** @file Image embeddings of a CLIP, as they are and with every image steered in its own way. */
import { type Clip, type FittedMethod, type Item, type Tensor3D, tf } from '../../harness/contract.ts';
import { restOfImage } from '../../harness/kit/index.ts';
import { cleared, type Kind, type RowSteering, steer } from './interventions.ts';

/** Pixel values of one pass: bounds its memory. */
const PIXEL_VALUES = 2 ** 22;

export interface Images {
  items: readonly Item[];
  /** Clean activations at the site: row-major [items, length, d]. */
  activations: Float32Array;
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

/**
 * Embeddings [strengths, items, dim] of all images steered along one direction with each strength, not normalised. At
 * the embedding and in the residual stream only what comes after the site is computed.
 */
export async function steeredEmbeddings(
  clip: Clip,
  site: { name: string; d: number },
  images: Images,
  direction: Omit<RowSteering, 'strength'>,
  strengths: readonly number[],
  kind: Kind,
  method: FittedMethod,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const n = images.items.length;
  const out = new Float32Array(strengths.length * n * clip.projectionDim);
  const size = Math.max(1, Math.floor(batchSize(clip) / n));
  const rest = restOfImage(clip, site.name);
  const pixels = rest ? undefined : await clip.preprocess(images.items.map(({ image }) => image!));
  const x = tf.tensor3d(images.activations, [n, images.activations.length / (n * site.d), site.d]);
  // What a clamped latent holds before depends on the image, not on the strength.
  const start = tf.tidy(() => (kind === 'clamp' && rest ? cleared(x, Array(n).fill(direction), method) : tf.clone(x)));
  try {
    for (let from = 0; from < strengths.length; from += size) {
      signal?.throwIfAborted();
      const part = strengths.slice(from, from + size);
      const embeds = tf.tidy(() => {
        if (rest) return rest(alongAll(start, direction.vector, part));
        const rows = part.flatMap((strength) => Array<RowSteering>(n).fill({ ...direction, strength }));
        const interventions = [steer(site.name, rows, kind, method)];
        return clip.forwardImage(tf.tile(pixels!, [part.length, 1, 1, 1]), { interventions }).embeds!;
      });
      out.set(await embeds.data(), from * n * clip.projectionDim);
      embeds.dispose();
    }
  } finally {
    tf.dispose([x, start, ...(pixels ? [pixels] : [])]);
  }
  return out;
}

/** x [n, length, d] with each multiple of `vector` added: [strengths · n, length, d]. */
function alongAll(x: Tensor3D, vector: Float32Array, strengths: readonly number[]): Tensor3D {
  const [n, length, d] = x.shape;
  const along = tf.mul(tf.tensor3d([...strengths], [strengths.length, 1, 1]), tf.tensor3d(vector, [1, 1, d]));
  const all = tf.add(tf.reshape(x, [1, n * length, d]), along);
  return tf.reshape(all, [strengths.length * n, length, d]);
}

function batchSize({ imageSize }: Clip): number {
  return Math.max(1, Math.floor(PIXEL_VALUES / (3 * imageSize * imageSize)));
}
