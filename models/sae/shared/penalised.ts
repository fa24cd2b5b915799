/** @file What variants have in common whose loss holds a penalty of weight λ, and whose L0 follows λ. */
import type { SaeDefinition, Tensor2D, TrainState } from '../../../harness/contract.ts';
import { linearMacs } from './cost.ts';
import { denseDecode } from './encoder.ts';
import { foldBiases } from './linear-parts.ts';
import {
  adjustSparsity,
  DECLINING,
  decliningTarget,
  type SparsityTarget,
  sparsityControllers,
  sparsityFactor,
  sparsityTargetHyperparameter,
} from './sparsity-target.ts';
import { toDense } from './threshold-codes.ts';
import { warmup } from './warmup.ts';

/** Options of variants with a sparsity penalty of weight λ. */
export interface Penalised extends SparsityTarget {
  lambda: number;
  lambdaWarmup: number;
}

export const penaltyHyperparameters = {
  lambda: { type: 'number', minimum: 0, default: 5, description: 'Weight λ of the penalty, at E‖x‖ = √d_in.' },
  lambdaWarmup: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.05,
    description: 'Fraction of the steps over which λ rises from 0.',
  },
  ...sparsityTargetHyperparameter,
};

/** λ at this step, as the warm-up and the controller have it. */
export const lambdaAt = (state: TrainState, hp: Penalised): number =>
  hp.lambda * warmup(state, hp.lambdaWarmup) * sparsityFactor(state, decliningTarget(state, hp.targetL0));

/** Everything but a variant's name, its options, its recipe, its encoder and its loss. */
export const penalisedVariant = {
  decode: (params, codes) => denseDecode(params, toDense(codes)),
  afterStep(_params, state, hp) {
    adjustSparsity(state, decliningTarget(state, hp.targetL0), DECLINING);
    return {};
  },
  targetL0: (hp) => hp.targetL0,
  controllers: (scalars, hp) => sparsityControllers(scalars, hp.targetL0),
  foldScale: foldBiases,
  directions: (params) => params['W_dec'] as Tensor2D,
  macs: (shape, hp) => linearMacs(shape, hp.targetL0),
} satisfies Partial<SaeDefinition<SparsityTarget>>;
