/** @file How directions found match directions known: one to one, many to one, how many are found, how many are mixtures. */
import { type Tensor2D, tf } from '../tf.ts';
import { unitNormRows } from '../unit-rows.ts';
import { bestAssignment } from './assignment.ts';

/** Version of these definitions, recorded with results. */
export const version = 1;

/** Rows of cosines computed at a time. */
const BLOCK = 1024;

/** |cos| of each row of `found` [latents, d] with each of `truth` [features, d], row-major [latents, features]. */
export function absoluteCosines(found: Float32Array, truth: Float32Array, d: number): Float32Array {
  const [latents, features] = [found.length / d, truth.length / d];
  const out = new Float32Array(latents * features);
  const known = tf.tidy(() => unitNormRows(tf.tensor2d(truth, [features, d])));
  for (let start = 0; start < latents; start += BLOCK) {
    const height = Math.min(BLOCK, latents - start);
    const product = tf.tidy(() => {
      const rows = tf.tensor2d(found.subarray(start * d, (start + height) * d), [height, d]) as Tensor2D;
      return tf.clipByValue(tf.abs(tf.matMul(unitNormRows(rows), known, false, true)), 0, 1);
    });
    out.set(product.dataSync() as Float32Array, start * features);
    product.dispose();
  }
  known.dispose();
  return out;
}

export interface FeatureMatch {
  /** Latent of each feature in the one-to-one matching of the greatest sum of |cos|, −1 without one, and their |cos|. */
  matched: Int32Array;
  matchedCosine: Float64Array;
  /** The latent nearest to each feature, whichever other features it is nearest to, and their |cos|. */
  nearestLatent: Int32Array;
  nearestLatentCosine: Float64Array;
  /** The feature nearest to each latent, and their |cos|. */
  nearestFeature: Int32Array;
  nearestFeatureCosine: Float64Array;
  /** |cos| of each latent with its second nearest feature; 0 of one feature. */
  secondCosine: Float64Array;
}

/** From |cos| [latents, features]. On a tie the first is the nearest. */
export function matchFeatures(cosines: Float32Array, latents: number, features: number): FeatureMatch {
  const columns = bestAssignment(cosines, latents, features);
  const match: FeatureMatch = {
    matched: new Int32Array(features).fill(-1),
    matchedCosine: new Float64Array(features),
    nearestLatent: new Int32Array(features),
    nearestLatentCosine: new Float64Array(features).fill(-1),
    nearestFeature: new Int32Array(latents),
    nearestFeatureCosine: new Float64Array(latents).fill(-1),
    secondCosine: new Float64Array(latents),
  };
  for (let latent = 0; latent < latents; latent++) {
    if (columns[latent]! >= 0) {
      match.matched[columns[latent]!] = latent;
      match.matchedCosine[columns[latent]!] = cosines[latent * features + columns[latent]!]!;
    }
    for (let feature = 0; feature < features; feature++) {
      const cosine = cosines[latent * features + feature]!;
      if (cosine > match.nearestFeatureCosine[latent]!) {
        match.secondCosine[latent] = Math.max(0, match.nearestFeatureCosine[latent]!);
        match.nearestFeatureCosine[latent] = cosine;
        match.nearestFeature[latent] = feature;
      } else if (cosine > match.secondCosine[latent]!) {
        match.secondCosine[latent] = cosine;
      }
      if (cosine > match.nearestLatentCosine[feature]!) {
        match.nearestLatentCosine[feature] = cosine;
        match.nearestLatent[feature] = latent;
      }
    }
  }
  return match;
}

/** Different features among the nearest ones ÷ latents: 1 where each latent has a feature of its own (SynthSAEBench). */
export function uniqueness({ nearestFeature }: Pick<FeatureMatch, 'nearestFeature'>): number {
  return new Set(nearestFeature).size / nearestFeature.length;
}

/** A second feature of at least this part of the first's |cos| makes a latent a mixture. */
export const MIXED = 0.5;

/** 1 for each latent whose second nearest feature has at least {@link MIXED} of the nearest's |cos|, else 0; 0 for one near none. */
export function mixtures({ nearestFeatureCosine, secondCosine }: FeatureMatch): Float64Array {
  return nearestFeatureCosine.map((best, latent) => (best > 0 && secondCosine[latent]! >= MIXED * best ? 1 : 0));
}
