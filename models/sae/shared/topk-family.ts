/** @file Start values, recipe and AuxK options of the TopK family (Gao et al. 2024, arXiv:2406.04093). */
import {
  type NamedTensors,
  type Rng,
  type SaeShape,
  type Tensor2D,
  type TrainingOptions,
  tf,
} from '../../../harness/contract.ts';
import { medianOf, randomDecoder, tiedEncoder } from './decoder.ts';
import { sampleVariance } from './variance.ts';

export interface TopkFamily {
  k: number;
  auxAlpha: number;
  auxK: number | null;
}

export const topkFamilyHyperparameters = {
  auxAlpha: { type: 'number', minimum: 0, default: 1 / 32, description: 'Weight of the AuxK loss.' },
  auxK: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Dead latents that AuxK uses for each input; null: half of d_in.',
  },
};

/** Published learning rates are for 10^5 steps; runs of about 10^3, this project's default, need a larger one. */
const SHORT_RUN = 3;

/** lr = 2e-4 / √(d_sae / 2^14) as in dictionary_learning, times 3; ε as in openai/sparse_autoencoder. */
export function topkFamilyTraining(shape: SaeShape): Partial<TrainingOptions> {
  return { lr: (SHORT_RUN * 2e-4) / Math.sqrt(shape.d_sae / 2 ** 14), epsilon: 6.25e-10, clip: 1 };
}

/** Unit decoder rows, the encoder their transpose, b_enc 0, b_dec the geometric median of the sample. */
export function topkFamilyInit(
  shape: SaeShape,
  _hp: TopkFamily,
  { rng, sample }: { rng: Rng; sample: Tensor2D },
): { params: NamedTensors; buffers: NamedTensors } {
  const W_dec = randomDecoder(shape, rng, 1);
  return {
    params: {
      W_dec,
      W_enc: tiedEncoder(W_dec, shape, rng, 1),
      b_enc: tf.zeros([shape.d_sae]),
      b_dec: medianOf(sample),
    },
    buffers: { variance: sampleVariance(sample) },
  };
}
