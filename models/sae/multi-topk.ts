/**
 * @file Multi-TopK SAE: TopK whose latents also reconstruct four times as many at a time, so that other k work too. The second
 * reconstruction and AuxK bring latents back: biases that rise as well cost explained variance (.73 for .75 on the synthetic data
 * at batch 256, where a rate a fifth above TopK's gives .76; on tiny-lm-planted and tiny-clip neither makes a difference).
 *
 * State of tuning at 12,288 latents: run once by the suite wide, 390 steps of 512: explained variance .637 and still rising (TopK
 * .585).
 */
import { type Codes, defineSae, type Scalar, type Tensor2D, tf, UserError } from '../../harness/contract.ts';
import { centredEncoder } from './shared/encoder.ts';
import { learningRate } from './shared/learning-rate.ts';
import { checkK } from './shared/linear-parts.ts';
import { topkCodes, topkDecode, topkVariant } from './shared/topk-codes.ts';
import {
  type TopkFamily,
  topkFamilyHyperparameters,
  topkFamilyTraining,
  topkHyperparameter,
} from './shared/topk-family.ts';
import { normalisedError, withAuxk } from './shared/topk-family-loss.ts';

interface MultiTopkParameters extends TopkFamily {
  wideK: number | null;
  wideWeight: number;
}

/** Where nothing else is asked for, four times k, as in the paper. */
const wideOf = ({ k, wideK }: MultiTopkParameters, d_sae: number) => wideK ?? Math.min(4 * k, d_sae);

/** The k first, which are the largest. */
function narrowed({ indices, values, d_sae }: Codes & { kind: 'topk' }, k: number): Codes & { kind: 'topk' } {
  const first = (t: Tensor2D) => tf.slice(t, [0, 0], [t.shape[0], k]);
  return { kind: 'topk', indices: first(indices), values: first(values), d_sae };
}

export default defineSae<MultiTopkParameters>({
  ...topkVariant,
  id: 'multi-topk',
  title: 'Multi-TopK SAE with AuxK',
  paper: 'Gao et al. 2024, arXiv:2406.04093',
  version: 2,
  hyperparameters: {
    k: topkHyperparameter,
    ...topkFamilyHyperparameters,
    deadBias: { ...topkFamilyHyperparameters.deadBias, default: 0 },
    wideK: {
      type: ['integer', 'null'],
      minimum: 1,
      default: null,
      description: 'Latents of the second reconstruction, k or more; null: 4 · k.',
    },
    wideWeight: { type: 'number', minimum: 0, default: 1 / 8, description: 'Weight of its error.' },
  },
  validate(shape, hp) {
    checkK('multi-topk', hp.k, shape, true);
    if (hp.wideK === null || (hp.wideK >= hp.k && hp.wideK <= shape.d_sae)) return;
    throw new UserError(
      `sae multi-topk: wideK: expected a whole number from k = ${hp.k} to d_sae = ${shape.d_sae}, or null, found ${hp.wideK}.`,
    );
  },
  training: (shape, hp, run) => ({ ...topkFamilyTraining(shape, hp, run), lr: learningRate(4.5e-3, shape, run, 0.65) }),
  loss(params, { x, target }, state, hp) {
    const wide = topkCodes(centredEncoder(params), x, wideOf(hp, params['W_enc']!.shape[1]!));
    const codes = narrowed(wide, hp.k);
    const reconstruction = topkDecode(params, codes);
    const step = { x, target, reconstruction };
    const { total, nmse, aux } = withAuxk(normalisedError(target, reconstruction, state), params, step, state, hp);
    const wideNmse = normalisedError(target, topkDecode(params, wide), state);
    return {
      total: tf.add(total, tf.mul(wideNmse, hp.wideWeight)) as Scalar,
      parts: { nmse, aux, wideNmse },
      ...{ codes, reconstruction },
    };
  },
});
