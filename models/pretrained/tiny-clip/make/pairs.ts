/** @file Images and captions of the image world as batches for tiny-clip. */
import { type Rng, type Tensor4D, type TokenBatch, type Tokenizer, tf } from '../../../../harness/contract.ts';
import { generateImage, type WorldImage } from '../../../../tasks/worlds/image-world/world.ts';
import { batchOf } from '../../../subjects/load.ts';

/** Draws `n` images of the default distribution. */
export const drawImages = (n: number, rng: Rng): WorldImage[] => Array.from({ length: n }, () => generateImage(rng));

/**
 * Draws `n` images for training: a share `easy` of those with shapes shows one large object. Outlines are learned there
 * first, as a beginner's picture book has it; towards the end every image is of the default distribution.
 */
export const drawLesson = (n: number, easy: number, rng: Rng): WorldImage[] =>
  Array.from({ length: n }, () =>
    rng.uniform() < easy ? generateImage(rng, { kind: 'shapes', size: 'large', count: 'one' }) : generateImage(rng),
  );

/**
 * Pixels [n, side, side, 3] as `preprocessor_config.json` makes them of images that have the right size already:
 * (x / 255 − 0.5) / 0.5. Training skips the general path; a test holds that both agree.
 */
export function pixelsOf(images: readonly WorldImage[]): Tensor4D {
  const { width, height } = images[0]!;
  const size = width * height * 3;
  const pixels = new Float32Array(images.length * size);
  images.forEach(({ data }, i) => {
    const at = i * size;
    for (let j = 0; j < size; j++) pixels[at + j] = data[j]! / 127.5 - 1;
  });
  return tf.tensor4d(pixels, [images.length, height, width, 3]);
}

export const captionBatch = (tokenizer: Tokenizer, captions: readonly string[]): TokenBatch =>
  batchOf(
    captions.map((text) => tokenizer.encode(text).ids),
    tokenizer.padId ?? tokenizer.eosId!,
  );
