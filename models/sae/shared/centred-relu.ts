/** @file The ReLU SAE of Bricken et al. 2023, f = ReLU(W_enc^T (x − b_dec) + b_enc), in training and at inference. */
import {
  type Codes,
  type NamedTensors,
  type SaeDefinition,
  type Scalar,
  type Tensor2D,
  type TrainState,
  tf,
} from '../../../harness/contract.ts';
import { denseEncode, sparseDecode, squaredError } from '../../../harness/kit/index.ts';
import { medianOf, randomDecoder, tiedEncoder } from './decoder.ts';
import { centredBias, centredEncoder, centredReluCodes, denseDecode } from './encoder.ts';
import { fewActive } from './few-active.ts';
import { saeLensTensors } from './linear-parts.ts';
import { penalisedVariant } from './penalised.ts';
import type { SparsityTarget } from './sparsity-target.ts';

/** What a batch gives; `active` [n, m] are all codes above 0, and zeros. */
export interface CentredRelu {
  active: Tensor2D;
  codes: Codes;
  reconstruction: Tensor2D;
  /** Σ‖x − x̂‖², mean over the batch. */
  mse: Scalar;
  carry: Record<string, number>;
}

/** One training batch, on sparse codes once they are few. */
export function centredRelu(params: NamedTensors, x: Tensor2D, target: Tensor2D, state: TrainState): CentredRelu {
  const { W_enc, W_dec, b_dec } = params as { W_enc: Tensor2D; W_dec: Tensor2D; b_dec: Tensor2D };
  const { few, carry } = fewActive(x, centredEncoder(params), state);
  const values = few?.values ?? denseEncode(x, { W_enc, bias: centredBias(params) });
  const codes: Codes = few ? { kind: 'topk', ...few, d_sae: W_dec.shape[0] } : { kind: 'dense', values };
  const reconstruction = few
    ? (tf.add(sparseDecode(values, few.indices, W_dec, undefined, { activeOnly: true }), b_dec) as Tensor2D)
    : denseDecode(params, values);
  const mse = tf.div(squaredError(target, reconstruction), target.shape[0]) as Scalar;
  return { active: values, codes, reconstruction, mse, carry };
}

/** Everything but a variant's name, its options, its recipe and its loss. Decoder rows have unit length. */
export const centredReluVariant = {
  ...penalisedVariant,
  inference: 'every latent with a positive pre-activation',
  init(shape, _hp, { rng, targetSample }) {
    const W_dec = randomDecoder(shape, rng, 1);
    const params = { W_dec, W_enc: tiedEncoder(W_dec, shape, rng, 1) };
    return { params: { ...params, b_enc: tf.zeros([shape.d_sae]), b_dec: medianOf(targetSample) } };
  },
  encode: (params, x): Codes => ({ kind: 'dense', values: centredReluCodes(params, x) }),
  unitRows: () => ['W_dec'],
  toSaeLens: (params) => ({
    architecture: 'standard',
    cfg: { apply_b_dec_to_input: true },
    tensors: saeLensTensors(params),
  }),
} satisfies Partial<SaeDefinition<SparsityTarget>>;
