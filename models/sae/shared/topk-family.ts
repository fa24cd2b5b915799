/** @file Start values, recipe and AuxK options of the TopK family (Gao et al. 2024, arXiv:2406.04093). */
import {
  type NamedTensors,
  type Rng,
  type RunLength,
  type SaeShape,
  type Tensor2D,
  type TrainingOptions,
  type TrainState,
  tf,
} from '../../../harness/contract.ts';
import { medianOf, randomDecoder, tiedEncoder } from './decoder.ts';
import { learningRate } from './learning-rate.ts';
import { sampleVariance } from './variance.ts';

export interface TopkFamily {
  k: number;
  auxAlpha: number;
  auxK: number | null;
  deadBias: number;
}

/** k of the variants that choose it for each input by itself. */
export const topkHyperparameter = {
  type: 'integer',
  minimum: 1,
  default: 16,
  description: 'Latents kept for each input.',
};

export const topkFamilyHyperparameters = {
  auxAlpha: { type: 'number', minimum: 0, default: 1 / 32, description: 'Weight of the AuxK loss.' },
  auxK: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Dead latents that AuxK uses for each input; null: half of d_in.',
  },
  deadBias: {
    type: 'number',
    minimum: 0,
    default: 1e-3,
    description: 'Gradient that raises the bias of dead latents; Adam makes of it a step of the learning rate.',
  },
};

/** ε as in openai/sparse_autoencoder. */
export function topkFamilyTraining(shape: SaeShape, _hp: unknown, run: RunLength): Partial<TrainingOptions> {
  return { lr: learningRate(4.5e-3, shape, run, 0.5), epsilon: 6.25e-10, clip: 1 };
}

/**
 * Dead latents whose pre-activation is negative on every input get no gradient from AuxK: their bias rises until they
 * fire.
 */
export function raiseDeadBiases(
  grads: NamedTensors,
  _params: NamedTensors,
  state: TrainState,
  { deadBias }: Pick<TopkFamily, 'deadBias'>,
): NamedTensors {
  if (!(deadBias > 0) || state.deadCount === 0) return grads;
  const raised = tf.sub(grads['b_enc']!, tf.mul(state.dead, deadBias));
  return { ...grads, b_enc: raised };
}

/** Unit decoder rows, the encoder their transpose, b_enc 0, b_dec the geometric median of the sample. */
export function topkFamilyInit(
  shape: SaeShape,
  _hp: unknown,
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
