/**
 * @file Transcoder: reads one site and reconstructs another of the same positions, as an MLP's output from its input.
 *
 * ReLU and L1, as in the paper and in SAELens: f = ReLU(W_enc^T x + b_enc), ŷ = f W_dec + b_dec. The penalty is weighted by decoder
 * norms, which is the paper's at rows of unit length, and both terms are in units of the target's variance v:
 * ‖y − ŷ‖² / v + λ Σ f ‖d‖ / √v, so that λ means the same whatever the size of the target.
 *
 * Adam moves every weight by about the same length, whatever is reconstructed, and an MLP's output is a third of its input: so
 * training keeps the decoder as for a target as large as the input, multiplies by a `size`, and folds that in at the end.
 *
 * Tuned on tiny-lm-planted (suite skip-archetypal-sweep; rates at 1,500 steps and 512 latents): explained variance .807 and .801 at L0 16.9 and
 * 16.7 of 16 at this rate (seeds 0 and 1), .801 at two thirds of it, .805 and .798 at L0 17.4 and 17.0 at 4/3, at twice this rate an L0
 * of 7.9; without `size` .796 at a third, and an L0 of 4.7 at 4/3 already. On data with known features (`npm run perf:synthetic`)
 * .513 and a mean greatest cosine of .917, its peer at its best .500 and .874 (before .342 and .843). Not run at d 768.
 */
import { defineSae, type NamedTensors, type Scalar, type TrainState, tf } from '../../harness/contract.ts';
import { squaredError } from '../../harness/kit/index.ts';
import { centringBias, freeEncoder, randomDecoder } from './shared/decoder.ts';
import { learningRate } from './shared/learning-rate.ts';
import { foldDecoderNorms, saeLensTensors } from './shared/linear-parts.ts';
import { lambdaAt, type Penalised, penaltyHyperparameters } from './shared/penalised.ts';
import { reluDecoded, reluVariant } from './shared/relu-codes.ts';
import { checkTarget } from './shared/sparsity-target.ts';
import { sampleVariance } from './shared/variance.ts';

/** The decoder's rows as they are at inference, but for their lengths. */
const sizedDecoder = (params: NamedTensors, { buffers }: TrainState): NamedTensors => ({
  ...params,
  W_dec: tf.mul(params['W_dec']!, buffers['size']!),
});

export default defineSae<Penalised>({
  ...reluVariant,
  id: 'transcoder',
  title: 'Transcoder (ReLU)',
  paper: 'Dunefsky, Chlenski & Nanda 2024, arXiv:2406.11944',
  version: 2,
  data: { target: 'other-site' },
  hyperparameters: penaltyHyperparameters,
  validate: (shape, hp) => checkTarget('transcoder', hp.targetL0, shape.d_sae),
  training: (shape, _hp, run) => ({ lr: learningRate(6e-3, shape, run, 0.7), clip: 1, normalise: 'mean-norm' }),
  init(shape, _hp, { rng, sample, targetSample }) {
    const variance = sampleVariance(targetSample);
    // Encoder and decoder speak of different sites: the one is no transpose of the other.
    const W_enc = freeEncoder(shape, rng, 0.1);
    return {
      params: {
        W_dec: randomDecoder(shape, rng, 0.1),
        W_enc,
        b_enc: centringBias(sample, W_enc),
        b_dec: tf.mean(targetSample, 0),
      },
      buffers: { variance, size: tf.sqrt(tf.div(variance, sampleVariance(sample))) },
    };
  },
  loss(params, { x, target }, state, hp) {
    const { codes, reconstruction, l1: sum, carry } = reluDecoded(sizedDecoder(params, state), x, state);
    const variance = state.buffers['variance']!.dataSync()[0]!;
    const mse = tf.div(squaredError(target, reconstruction), target.shape[0] * variance) as Scalar;
    const l1 = tf.div(sum, Math.sqrt(variance)) as Scalar;
    return { total: tf.add(mse, tf.mul(l1, lambdaAt(state, hp))), parts: { mse, l1 }, carry, codes, reconstruction };
  },
  toInference: (params, state) => foldDecoderNorms(sizedDecoder(params, state)),
  toSaeLens: (params) => ({
    architecture: 'transcoder',
    cfg: { d_out: params['W_dec']!.shape[1], apply_b_dec_to_input: false },
    tensors: saeLensTensors(params),
  }),
});
