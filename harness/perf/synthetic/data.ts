/** @file Superposed sparse features with a known dictionary, on which recipes are compared with SAELens. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { atomicWriteJson } from '../../io/atomic.ts';
import { writeNpy } from '../../io/npy.ts';
import { joined } from '../../num/join.ts';
import { createRng } from '../../num/rng.ts';
import { unitRows } from '../../train/fitted-sae.ts';

/** Features in d dimensions, `l0` of them active in a row on average; rows to train on, and held out. */
export interface SyntheticWorld {
  features: number;
  d: number;
  l0: number;
  train: number;
  test: number;
  /** Each row is multiplied by a log-normal number with this deviation of its logarithm; 0: by none. */
  spread: number;
}

export const SYNTHETIC: SyntheticWorld = { features: 256, d: 64, l0: 6, train: 100_000, test: 10_000, spread: 0 };

/** Rows of very uneven norms. */
export const UNEVEN: SyntheticWorld = { features: 512, d: 128, l0: 8, train: 100_000, test: 10_000, spread: 1 };

/** Rows as wide as those of a small language model, trained on four times with `WIDE_RUN`. */
export const WIDE: SyntheticWorld = { features: 3072, d: 768, l0: 32, train: 50_000, test: 4000, spread: 0 };
export const WIDE_RUN = { d_sae: 12_288, tokens: 200_000 };

export interface SyntheticData {
  world: SyntheticWorld;
  /** True directions, unit rows [features, d]. */
  dictionary: Float32Array;
  /** [train, d] and [test, d]. */
  train: Float32Array;
  test: Float32Array;
}

/** Lengths are normal around 1 with this deviation; their modulus, so that none is negative. */
export const LENGTH_DEVIATION = 0.2;

/** Each feature is a random direction, and is active in a row with the same probability, whatever the others are. */
export function syntheticData(seed: number, world = SYNTHETIC): SyntheticData {
  const { features, d, l0, train, test, spread } = world;
  const rng = createRng(seed).fork('synthetic');
  const dictionary = unitRows(rng.fork('dictionary').fillNormal(new Float32Array(features * d)), d);
  const draws = rng.fork('rows');
  const factors = rng.fork('factors');
  const x = new Float32Array((train + test) * d);
  const fires = new Float32Array(features);
  for (let at = 0; at < x.length; at += d) {
    draws.fillUniform(fires);
    for (let g = 0; g < features; g++) {
      if (fires[g]! >= l0 / features) continue;
      const length = Math.abs(1 + LENGTH_DEVIATION * draws.normal());
      for (let j = 0; j < d; j++) x[at + j]! += length * dictionary[g * d + j]!;
    }
    if (spread === 0) continue;
    const factor = Math.exp(spread * factors.normal());
    for (let j = 0; j < d; j++) x[at + j]! *= factor;
  }
  return { world, dictionary, train: x.subarray(0, train * d), test: x.subarray(train * d) };
}

/** Writes the rows as activations that `--activations` reads, and the dictionary below it in `truth/`. */
export async function writeSynthetic(folder: string, { world, dictionary, train, test }: SyntheticData): Promise<void> {
  const { features, d } = world;
  await mkdir(join(folder, 'truth'), { recursive: true });
  const x = joined(Float32Array, [train, test]);
  await writeNpy(join(folder, 'activations.npy'), [x.length / d, d], x);
  await writeNpy(join(folder, 'truth', 'dictionary.npy'), [features, d], dictionary);
  const manifest = { files: ['activations.npy'], subject: 'synthetic', site: 'superposed', modality: 'text' };
  await atomicWriteJson(join(folder, 'activations.json'), manifest);
}
