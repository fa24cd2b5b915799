/**
 * @file Switch SAE: a router gives each input to one of several TopK experts, and only that expert's latents are computed.
 *
 * The definition is that of amudide/switch_sae: x̂ = p · W_dec · TopK(ReLU((x − b_dec) · W_enc)) + b_dec over the latents of the
 * expert of the largest probability p of softmax((x − b_router) · W_router), without an encoder bias. The loss is in units of the
 * data's variance: ours = theirs / (d · variance), so `balance` is their α over the variance. AuxK is left out, as there.
 *
 * Rows are sorted by expert, and each expert is one product with its own columns of W_enc. Adam moves every latent at every step,
 * as its formula says: a lazy one would spare only the latents that no row of the batch fires, which are few (65,536 codes fall on
 * 12,288 latents in the run of the speed table), and would change the moments' meaning.
 *
 * Tuned by the suite switch-kron-sweep, one seed: the TopK family's learning rate is the best of those tried, `balance` 0.1 of 0.01 (leaves
 * 18 % dead) to 3; the size of the router's start matters little. Held-out EV beside TopK's .909: .898, .868, .848, .797 with 2, 4, 8,
 * 32 experts.
 *
 * State of tuning at 12,288 latents: run once by the suite wide, 390 steps of 512, 8 experts: explained variance .309 held out and
 * .398 in training (TopK .585). Each expert has 1,536 latents and an eighth of the rows for a world whose features form no groups.
 */
import {
  type Codes,
  defineSae,
  type NamedTensors,
  type SaeShape,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { type GroupedRows, groupRows, topkEncodeGrouped, unitNormRows } from '../../harness/kit/index.ts';
import { medianOf, randomDecoder, tiedEncoder } from './shared/decoder.ts';
import { learningRate } from './shared/learning-rate.ts';
import { foldBiases } from './shared/linear-parts.ts';
import { topkDecode } from './shared/topk-codes.ts';
import { topkHyperparameter } from './shared/topk-family.ts';
import { normalisedError } from './shared/topk-family-loss.ts';
import { sampleVariance } from './shared/variance.ts';

interface Switch {
  k: number;
  experts: number;
  balance: number;
}

/** Cosine from which on two latents of different experts count as the same. */
const DUPLICATE = 0.9;

/** What the router says of a batch. */
interface Routing {
  /** Probabilities [n, experts]. */
  probabilities: Tensor2D;
  /** The largest of each row, [n]: the factor on the codes of its expert, through which the router learns. */
  gate: Tensor1D;
  rows: GroupedRows;
}

function route(params: NamedTensors, x: Tensor2D): Routing {
  const { W_router, b_router } = params as { W_router: Tensor2D; b_router: Tensor1D };
  const experts = W_router.shape[1];
  // (x − b) · W as x · W − b · W: the gradient of b then needs no product of the size of the batch.
  const shift = tf.matMul(tf.expandDims(b_router, 0) as Tensor2D, W_router);
  const probabilities = tf.softmax(tf.sub(tf.matMul(x, W_router), shift)) as Tensor2D;
  const expert = tf.argMax(probabilities, 1) as Tensor1D;
  const places = tf.add(expert, tf.range(0, expert.size * experts, experts, 'int32'));
  const gate = tf.gather(tf.reshape(probabilities, [probabilities.size]), places) as Tensor1D;
  return { probabilities, gate, rows: groupRows(expert, experts) };
}

type SparseCodes = Codes & { kind: 'topk' };

/** The codes of the batch in the order of the groups. */
function encodeGroups(params: NamedTensors, x: Tensor2D, { gate, rows }: Routing, k: number): SparseCodes {
  const { W_enc, b_dec } = params as { W_enc: Tensor2D; b_dec: Tensor1D };
  const d_sae = W_enc.shape[1];
  const encoder = { W_enc, bias: tf.zeros([d_sae]) as Tensor1D, centre: b_dec };
  const { indices, values } = topkEncodeGrouped(x, encoder, k, rows.ends);
  const factor = tf.expandDims(tf.gather(gate, rows.order), 1);
  return { kind: 'topk', indices, values: tf.mul(values, factor), d_sae };
}

/** Codes put back into the order of the batch. */
function inBatchOrder({ indices, values, ...rest }: SparseCodes, { places }: GroupedRows): SparseCodes {
  return { ...rest, indices: tf.gather(indices, places), values: tf.gather(values, places) };
}

/** N · Σ f · P with f the part of the batch that goes to an expert and P its mean probability; 1 where all are even. */
function imbalance({ probabilities, rows }: Routing): Scalar {
  const [n, experts] = probabilities.shape;
  const ends = rows.ends.dataSync();
  const scaled = Float32Array.from(ends, (end, e) => ((end - (ends[e - 1] ?? 0)) * experts) / n);
  return tf.mean(tf.matMul(probabilities, tf.tensor2d(scaled, [experts, 1]))) as Scalar;
}

/** The part of the latents whose direction has a cosine above 0.9 with one of another expert. */
function duplicates(W_dec: Tensor2D, experts: number): number {
  return tf.tidy(() => {
    const [d_sae, d] = W_dec.shape;
    const width = d_sae / experts;
    const unit = unitNormRows(W_dec);
    const counts = Array.from({ length: experts }, (_, expert) => {
      return tf.tidy(() => {
        const [from, to] = [expert * width, (expert + 1) * width];
        const own = tf.slice(unit, [from, 0], [width, d]);
        const others = [tf.slice(unit, [0, 0], [from, d]), tf.slice(unit, [to, 0], [d_sae - to, d])];
        const best = others
          .filter((rows) => rows.shape[0] > 0)
          .map((rows) => tf.max(tf.matMul(own, rows, false, true), 1));
        if (best.length === 0) return tf.scalar(0);
        return tf.sum(
          tf.cast(
            tf.greater(
              best.reduce((a, b) => tf.maximum(a, b)),
              DUPLICATE,
            ),
            'float32',
          ),
        );
      });
    });
    return tf.addN(counts).dataSync()[0]! / d_sae;
  });
}

function validate({ d_sae }: SaeShape, { k, experts }: Switch): void {
  if (d_sae % experts !== 0) {
    throw new UserError(
      `sae switch: experts: expected a divisor of d_sae = ${d_sae}, found ${experts}; change experts or d_sae.`,
    );
  }
  const width = d_sae / experts;
  if (k <= width) return;
  throw new UserError(
    `sae switch: k: expected 1 to d_sae / experts = ${d_sae} / ${experts} = ${width}, found ${k}; lower k or experts, or raise d_sae.`,
  );
}

export default defineSae<Switch>({
  id: 'switch',
  title: 'Switch SAE',
  inference: 'the k largest positive pre-activations of the expert to which the router gives the input',
  paper: 'Mudide et al. 2024, arXiv:2410.08201',
  version: 1,
  hyperparameters: {
    k: topkHyperparameter,
    experts: { type: 'integer', minimum: 1, default: 8, description: 'Experts, of d_sae / experts latents each.' },
    balance: {
      type: 'number',
      minimum: 0,
      default: 0.1,
      description: 'Weight of the load balance, in units of the variance of the activations.',
    },
  },
  validate,
  // The published clip of the gradients' norm to 1 never acts in units of the variance, and would read them all once more.
  training: (shape, _hp, run) => ({ lr: learningRate(4.5e-3, shape, run, 0.5), epsilon: 6.25e-10, clip: 0 }),
  init(shape, { experts }, { rng, sample }) {
    const { d_in } = shape;
    const W_dec = randomDecoder(shape, rng, 1);
    const variance = sampleVariance(sample);
    // PyTorch's start of a linear layer, for inputs of variance 1.
    const bound = 1 / Math.sqrt(d_in * variance.dataSync()[0]!);
    const uniform = rng.fork('router').fillUniform(new Float32Array(d_in * experts));
    const median = medianOf(sample);
    return {
      params: {
        W_dec,
        W_enc: tiedEncoder(W_dec, shape, rng, 1),
        b_dec: median,
        W_router: tf.mul(tf.sub(tf.tensor2d(uniform, [d_in, experts]), 0.5), 2 * bound),
        b_router: tf.clone(median),
      },
      buffers: { variance },
    };
  },
  encode(params, x, { k }) {
    const routing = route(params, x);
    const codes = encodeGroups(params, tf.gather(x, routing.rows.order), routing, k);
    return inBatchOrder(codes, routing.rows);
  },
  decode: topkDecode,
  loss(params, { x, target }, state, { k, balance }) {
    const routing = route(params, x);
    const { order, places } = routing.rows;
    const rows = tf.gather(x, order);
    const codes = encodeGroups(params, rows, routing, k);
    // Decoded in the order of the groups too: an expert's rows of W_dec stay in cache.
    const sorted = topkDecode(params, codes);
    const nmse = normalisedError(target === x ? rows : (tf.gather(target, order) as Tensor2D), sorted, state);
    const imbalanced = imbalance(routing);
    return {
      total: tf.add(nmse, tf.mul(imbalanced, balance)) as Scalar,
      parts: { nmse, imbalance: imbalanced },
      codes: inBatchOrder(codes, routing.rows),
      reconstruction: tf.gather(sorted, places),
    };
  },
  targetL0: (hp) => hp.k,
  unitRows: () => ['W_dec'],
  afterStep(params, state, { experts }) {
    if (state.step === state.steps - 1) {
      state.scalars['duplicates_across_experts'] = duplicates(params['W_dec'] as Tensor2D, experts);
    }
    return {};
  },
  foldScale: (params, scale) => ({
    ...foldBiases(params, scale),
    W_router: tf.mul(params['W_router']!, scale),
    b_router: tf.div(params['b_router']!, scale),
  }),
  directions: (params) => params['W_dec'] as Tensor2D,
  macs: ({ d_in, d_sae, d_out }, { k, experts }) => ({
    encode: d_in * experts + (d_in * d_sae) / experts,
    decode: k * d_out,
  }),
});
