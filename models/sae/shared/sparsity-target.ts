/** @file Finds the sparsity coefficient that gives a wanted L0, while training. */
import { type Controller, type TrainState, UserError } from '../../../harness/contract.ts';

/** Options of variants whose L0 depends on a coefficient. */
export interface SparsityTarget {
  targetL0: number | null;
}

export const sparsityTargetHyperparameter = {
  targetL0: {
    type: ['number', 'null'],
    exclusiveMinimum: 0,
    default: 16,
    description:
      'Mean active latents to aim at: λ then starts at a tenth of its value and is adjusted while training. null: λ as given.',
  },
};

/** Natural logarithm of the factor at the start: a λ that is too large kills latents before it can be lowered. */
const START = Math.log(0.1);
/** Bounds of that logarithm: where λ has no grip on L0 it must not run away and come back too late. */
const BOUNDS = [-7, 9] as const;
/** e-folds that the integral part can move by in a whole run. */
const RANGE = 30;
/** Where a declining target begins, as a multiple, and the part of the run in which it falls to the target. */
const DECLINE = { surplus: 6, part: 0.4 };
/** Relative error at which it moves at about full speed. */
const FULL_SPEED = 2 / 3;
/** How much slower the integral part moves while an error vanishes on its own, so that it does not overshoot. */
const CONVERGING = 0.01;
/**
 * While the learning rate falls, over the last fifth of a run, L0 drifts (the parameters are less noisy) and answers λ less:
 * the integral part moves at this multiple, and waits for nothing.
 */
const LATE = { from: 0.8, gain: 3 };

/** How a variant is steered. */
interface Steering {
  /** e-folds that the integral part may move by in one step. */
  fastest: number;
  /** The same while the learning rate falls. */
  fastestLate: number;
  /** The trend of the error is a running mean over this many windows of L0's own running mean; 0: of one step. */
  trendWindows: number;
  /** An error that by its trend vanishes within this part of the remaining steps is left to do so. */
  patience: number;
  /** The integral part follows the error that the trend leads to within this part of the remaining steps. */
  ahead: number;
}

/**
 * The trend of one step is mostly noise: on wide dictionaries, whose thresholds move slowly, λ then grows to the 900-fold
 * while L0 is on its way, and L0 falls to less than half of the target before λ has come down again.
 */
const STEADY: Steering = { fastest: Infinity, fastestLate: Infinity, trendWindows: 3, patience: 0.8, ahead: 0.3 };
/**
 * On a declining target L0 follows λ within tens of steps, however short the run is. A trend that lags by more than that
 * holds λ back on short runs, and L0 then comes down too late to be trained on.
 */
export const DECLINING: Steering = { fastest: 0.04, fastestLate: Infinity, trendWindows: 0, patience: 0.5, ahead: 0 };

/** Proportional part, which damps: its weight, and the largest error that it answers, for a large λ kills latents. */
const PROPORTIONAL = { weight: 1, most: 0.3 };

/** ln(L0 / target), at least ln(1/100). */
const errorOf = (l0: number, target: number) => Math.log(Math.max(l0, target / 100) / target);

/**
 * What to aim at in this step. Under an L1 penalty of one fixed λ, L0 falls over most of a run. A controller that wants the
 * end of that at once raises λ until latents die, and then swings.
 */
export function decliningTarget({ step, steps }: TrainState, target: number | null): number | null {
  return target === null ? null : target * DECLINE.surplus ** Math.max(0, 1 - step / (DECLINE.part * steps));
}

/** The factor on λ reached so far; 1 without a target. */
export function sparsityFactor({ scalars }: TrainState, target: number | null): number {
  if (target === null) return 1;
  const { weight, most } = PROPORTIONAL;
  const error = errorOf(scalars['meanL0'] ?? target, target);
  return Math.exp((scalars['logFactor'] ?? START) + weight * Math.min(most, Math.max(-most, error)));
}

/**
 * One step of a proportional-integral controller, after SAELens's coefficient autotuner, which has the integral part
 * only: the logarithm of the factor follows the error of a running mean of L0, its integral part hardly at all while
 * the error vanishes on its own, and the other way where it is about to pass the target. Gain and averaging window follow
 * the length of the run: the published 3e-4 and 0.99 are for 200,000 steps. What was reached stands in `scalars`: `meanL0`,
 * `trend` (of the error, a step) and `logFactor`, the integral part.
 */
export function adjustSparsity(state: TrainState, target: number | null, steering = STEADY): void {
  if (target === null) return;
  const l0 = state.last?.l0 ?? target;
  const { scalars, steps } = state;
  const weight = 1 / Math.min(100, Math.max(3, steps / 100));
  const before = scalars['meanL0'] ?? l0;
  const mean = before + weight * (l0 - before);
  const error = errorOf(mean, target);
  const trendBefore = scalars['trend'] ?? 0;
  const trendWeight = weight / Math.max(weight, steering.trendWindows);
  const trend = trendBefore + trendWeight * (error - errorOf(before, target) - trendBefore);
  const left = steps - state.step;
  const converging = -Math.sign(error) * trend * steering.patience * left > Math.abs(error);
  const late = state.step >= LATE.from * steps;
  const expected = late ? error : error + trend * steering.ahead * left;
  const waits = converging && expected * error > 0;
  const usual = Math.min(steering.fastest, RANGE / steps);
  const gain = late ? Math.min(steering.fastestLate, usual * LATE.gain) : usual * (waits ? CONVERGING : 1);
  scalars['meanL0'] = mean;
  scalars['trend'] = trend;
  const moved = (scalars['logFactor'] ?? START) + gain * Math.tanh(expected / FULL_SPEED);
  scalars['logFactor'] = Math.min(BOUNDS[1], Math.max(BOUNDS[0], moved));
}

/** The controller as it ended; none without a target. */
export function sparsityControllers(scalars: Readonly<Record<string, number>>, target: number | null): Controller[] {
  const value = scalars['logFactor'];
  if (target === null || value === undefined) return [];
  return [{ name: 'the sparsity coefficient (logarithm of its factor)', value, low: BOUNDS[0], high: BOUNDS[1] }];
}

/** @throws UserError unless the target is null or at most d_sae. */
export function checkTarget(id: string, target: number | null, d_sae: number): void {
  if (target === null || (target > 0 && target <= d_sae)) return;
  throw new UserError(`sae ${id}: targetL0: expected a number above 0 and at most d_sae = ${d_sae}, found ${target}.`);
}
