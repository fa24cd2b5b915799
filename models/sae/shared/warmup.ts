/** @file Linear warm-up of a coefficient. */
import type { TrainState } from '../../../harness/contract.ts';

/** From 1/n on the first step to 1 after the first `fraction` of all steps. */
export function warmup(state: TrainState, fraction: number): number {
  const steps = Math.round(fraction * state.steps);
  return steps === 0 ? 1 : Math.min(1, (state.step + 1) / steps);
}
