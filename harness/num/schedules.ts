/** @file Learning-rate and coefficient schedules: pure functions from a step to a multiplier. */

/** A schedule as recipes and suites write it in JSON. Every field is optional; `{}` is constant 1. */
export interface ScheduleConfig {
  /** Steps of warm-up at the start. Default 0. */
  warmup?: number;
  /** The multiplier that warm-up starts from, in [0, 1]. Default 0. */
  warmupFrom?: number;
  /** The shape of the warm-up. Default linear. */
  warmupShape?: 'linear' | 'cosine';
  /** What happens at the end. Default constant. */
  decay?: 'constant' | 'linear' | 'cosine';
  /** The last part of all steps over which the decay runs, in (0, 1]. Default 1 (from the end of warm-up). */
  decayFraction?: number;
  /** The multiplier at the end of the decay, in [0, 1]. Default 0. */
  decayTo?: number;
}

/** Half a cosine wave from 0 at `t` = 0 to 1 at `t` = 1. */
const cosineRamp = (t: number) => (1 - Math.cos(Math.PI * t)) / 2;

/**
 * The multiplier at 0-based `step` of `totalSteps`. Warm-up reaches 1 on its last step (step `warmup - 1`), so no step
 * is spent at exactly 0; decay reaches `decayTo` at `totalSteps`, one past the last step, so the last step still learns.
 */
export function scheduleMultiplier(config: ScheduleConfig, step: number, totalSteps: number): number {
  const { warmup = 0, warmupFrom = 0, warmupShape = 'linear' } = config;
  if (step < warmup) {
    const t = (step + 1) / warmup;
    return warmupFrom + (1 - warmupFrom) * (warmupShape === 'cosine' ? cosineRamp(t) : t);
  }
  const { decay = 'constant', decayFraction = 1, decayTo = 0 } = config;
  if (decay === 'constant') return 1;
  const start = Math.max(warmup, totalSteps * (1 - decayFraction));
  if (step <= start) return 1;
  const t = Math.min(1, (step - start) / (totalSteps - start));
  return 1 - (1 - decayTo) * (decay === 'cosine' ? cosineRamp(t) : t);
}
