/** @file What of a plan a run still has to do. */
import { type Evaluation, type Plan, planSteps } from '../plan.ts';
import type { Store } from '../store.ts';

/** The plan with the evaluations of `missing` only, and with what they need. */
export function planOf(plan: Plan, missing: ReadonlySet<Evaluation>): Plan {
  const sites = plan.sites
    .map((sitePlan) => {
      const fits = sitePlan.fits
        .map((fit) => ({ ...fit, evaluations: fit.evaluations.filter((evaluation) => missing.has(evaluation)) }))
        .filter(({ evaluations }) => evaluations.length > 0);
      const wanted = new Set(fits.flatMap((fit) => fit.evaluations.map(({ prepare }) => prepare)));
      return { ...sitePlan, fits, prepares: sitePlan.prepares.filter(({ key }) => wanted.has(key)) };
    })
    .filter(({ fits }) => fits.length > 0);
  return { ...plan, sites };
}

/** Steps of a plan that the store has not. */
export async function countSteps(plan: Plan, store: Store): Promise<number> {
  let count = 0;
  for (const { kind, key } of planSteps(plan)) if (!(await store.has(kind, key))) count++;
  return count;
}
