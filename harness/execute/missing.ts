/** @file What of a plan a run still has to do. */
import { type Evaluation, type Plan, planSteps } from '../plan.ts';
import type { Store } from '../store.ts';

/** The plan with the evaluations of `missing` only, and with what they need. */
export function planOf(plan: Plan, missing: ReadonlySet<Evaluation>): Plan {
  const cells = plan.cells
    .map((cell) => {
      const fits = cell.fits
        .map((fit) => ({ ...fit, evaluations: fit.evaluations.filter((evaluation) => missing.has(evaluation)) }))
        .filter(({ evaluations }) => evaluations.length > 0);
      const wanted = new Set(fits.flatMap((fit) => fit.evaluations.map(({ prepare }) => prepare)));
      return { ...cell, fits, prepares: cell.prepares.filter(({ key }) => wanted.has(key)) };
    })
    .filter(({ fits }) => fits.length > 0);
  return { ...plan, cells };
}

/** Steps of a plan that the store has not. */
export async function countSteps(plan: Plan, store: Store): Promise<number> {
  let count = 0;
  for (const { kind, key } of planSteps(plan)) if (!(await store.has(kind, key))) count++;
  return count;
}
