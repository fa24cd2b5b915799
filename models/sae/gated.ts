/**
 * @file Gated SAE: one part of the encoder says which latents are active, the other one how much. Decoder rows of free length,
 * as SAELens has them, explain .02 more of data with a known dictionary than the paper's unit rows.
 *
 * State of tuning at 12,288 latents: run once by the suite wide, 390 steps of 512: explained variance .653, L0 29.9 of 32.
 * Its recipe was tuned on narrower ones.
 */
import {
  type Codes,
  defineSae,
  type NamedTensors,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type TrainState,
  tf,
} from '../../harness/contract.ts';
import { customOp, denseEncode, rowNorms, sparseDecode, squaredError, untracked } from '../../harness/kit/index.ts';
import { centredReluVariant } from './shared/centred-relu.ts';
import { centredBias, centredReluCodes, denseDecode } from './shared/encoder.ts';
import { fewActive } from './shared/few-active.ts';
import { frozen } from './shared/frozen.ts';
import { learningRate } from './shared/learning-rate.ts';
import { foldDecoderNorms } from './shared/linear-parts.ts';
import { lambdaAt, type Penalised, penaltyHyperparameters } from './shared/penalised.ts';
import { checkTarget } from './shared/sparsity-target.ts';

/** 1[π > 0] · ReLU(exp(r_mag) · (π − b_gate) + b_mag) from `gate` = ReLU(π): both parts share one matrix. */
function magnitudes(gate: Tensor2D, of: (name: string) => Tensor): Tensor2D {
  const scaled = tf.mul(tf.sub(gate, of('b_gate')), tf.exp(of('r_mag')));
  const open = untracked(() => tf.cast(tf.greater(gate, 0), 'float32'));
  return tf.mul(tf.relu(tf.add(scaled, of('b_mag'))), open) as Tensor2D;
}

/** The same of all latents of a batch, [n, d_sae]: of what lies between, nothing is kept for the gradient. */
function denseMagnitudes(gate: Tensor2D, { b_gate, r_mag, b_mag }: NamedTensors): Tensor2D {
  return customOp<Tensor2D>(
    [gate, b_gate!, r_mag!, b_mag!],
    (save, open, shift, size, bias) => {
      const named: NamedTensors = { b_gate: shift!, r_mag: size!, b_mag: bias! };
      const values = magnitudes(open as Tensor2D, (name) => named[name]!);
      save([open!, shift!, size!, values]);
      return values;
    },
    (dy, saved) => {
      const [open, shift, size, values] = saved as [Tensor2D, Tensor1D, Tensor1D, Tensor2D];
      const factor = tf.exp(size);
      const inner = tf.mul(dy, tf.cast(tf.greater(values, 0), 'float32')) as Tensor2D;
      const sums = tf.sum(inner, 0);
      const dSize = tf.mul(tf.sub(tf.sum(tf.mul(inner, open), 0), tf.mul(shift, sums)), factor);
      return [tf.mul(inner, factor), tf.neg(tf.mul(sums, factor)), dSize, sums];
    },
  );
}

/** ReLU(π), all of them, for a batch to train on. */
const openGates = (params: NamedTensors, x: Tensor2D): Tensor2D =>
  denseEncode(x, { W_enc: params['W_enc'] as Tensor2D, bias: centredBias(params, 'b_gate') });

const encode = (params: NamedTensors, x: Tensor2D) =>
  magnitudes(centredReluCodes(params, x, 'b_gate'), (name) => params[name]!);

/** What a batch gives; `gate` holds all gates above 0, and zeros. */
interface Encoded {
  gate: Tensor2D;
  codes: Codes;
  carry: Record<string, number>;
  /** Each gate times the length of its decoder row. */
  weighted(gate: Tensor2D): Tensor;
  /** x̂ by parameters of these names, from codes or gates. */
  decode(params: NamedTensors, values: Tensor2D): Tensor2D;
}

/** On sparse codes once open gates are few. */
function encodeBatch(params: NamedTensors, x: Tensor2D, state: TrainState): Encoded {
  const { W_enc, W_dec, b_gate, b_dec } = params as Record<string, Tensor2D>;
  const encoder = { W_enc: W_enc!, bias: b_gate as Tensor as Tensor1D, centre: b_dec as Tensor as Tensor1D };
  const { few, carry } = fewActive(x, encoder, state);
  const norms = () => tf.squeeze(rowNorms(W_dec!), [1]);
  if (!few) {
    const gate = openGates(params, x);
    const values = denseMagnitudes(gate, params);
    const weighted = (gates: Tensor2D) => tf.mul(gates, norms());
    return { gate, codes: { kind: 'dense', values }, carry, decode: denseDecode, weighted };
  }
  const { indices, values: gate } = few;
  const values = magnitudes(gate, (name) => tf.gather(params[name]!, indices));
  const codes: Codes = { kind: 'topk', indices, values, d_sae: W_dec!.shape[0] };
  return {
    ...{ gate, codes, carry },
    weighted: (gates) => tf.mul(gates, tf.gather(norms(), indices)),
    decode: ({ W_dec, b_dec }, entries) =>
      sparseDecode(entries, indices, W_dec as Tensor2D, b_dec as Tensor1D, { activeOnly: true }),
  };
}

/** Length of the decoder and encoder rows at the start where they are free. */
const START_NORM = 0.5;

interface GatedParameters extends Penalised {
  norms: 'free' | 'unit';
}

export default defineSae<GatedParameters>({
  ...centredReluVariant,
  id: 'gated',
  title: 'Gated SAE',
  inference: 'every latent with an open gate',
  paper: 'Rajamanoharan et al. 2024, arXiv:2404.16014',
  version: 2,
  hyperparameters: {
    ...penaltyHyperparameters,
    norms: {
      enum: ['free', 'unit'],
      default: 'free',
      description:
        "Decoder rows in training: 'unit': held at length 1 (the paper); 'free': of any length, which weights the penalty, and trained by the gates' own reconstruction too (SAELens).",
    },
  },
  validate: (shape, hp) => checkTarget('gated', hp.targetL0, shape.d_sae),
  training: (shape, _hp, run) => ({ lr: learningRate(4e-3, shape, run, 0.6), beta1: 0, normalise: 'mean-norm' }),
  init(shape, hp, env) {
    const { b_enc, ...unit } = centredReluVariant.init(shape, hp, env).params;
    const short = { W_dec: tf.mul(unit.W_dec, START_NORM), W_enc: tf.mul(unit.W_enc, START_NORM) };
    const params = hp.norms === 'unit' ? unit : { ...unit, ...short };
    return { params: { ...params, b_gate: b_enc!, b_mag: tf.clone(b_enc!), r_mag: tf.zerosLike(b_enc!) } };
  },
  encode: (params, x) => ({ kind: 'dense', values: encode(params, x) }),
  loss(params, { x, target }, state, hp) {
    const { gate, codes, carry, decode, weighted } = encodeBatch(params, x, state);
    const reconstruction = decode(params, codes.values);
    const perInput = (sum: Tensor) => tf.div(sum, target.shape[0]) as Scalar;
    const mse = perInput(squaredError(target, reconstruction));
    const l1 = perInput(tf.sum(hp.norms === 'unit' ? gate : weighted(gate)));
    // The gates learn from the penalty and from what they would reconstruct. Free lengths need a gradient against the penalty's.
    const decoder = hp.norms === 'unit' ? frozen(params, 'W_dec', 'b_dec') : params;
    const aux = perInput(squaredError(target, decode(decoder, gate)));
    const total = tf.addN([mse, tf.mul(l1, lambdaAt(state, hp)), aux]) as Scalar;
    return { total, parts: { mse, l1, aux }, carry, codes, reconstruction };
  },
  unitRows: (hp) => (hp.norms === 'unit' ? ['W_dec'] : []),
  toInference: foldDecoderNorms,
  toSaeLens: ({ W_enc, W_dec, b_dec, b_gate, b_mag, r_mag }) => ({
    architecture: 'gated',
    cfg: { apply_b_dec_to_input: true },
    tensors: { W_enc: W_enc!, W_dec: W_dec!, b_dec: b_dec!, b_gate: b_gate!, b_mag: b_mag!, r_mag: r_mag! },
  }),
});
