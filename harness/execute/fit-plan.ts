/** @file Fits the one method of a plan without tasks. */
import { type Plan, planSteps } from '../plan.ts';
import { createProgress } from '../progress.ts';
import type { RunProvenance } from '../provenance.ts';
import type { Registry } from '../registry.ts';
import { openReplies } from '../store/replies.ts';
import type { Store, StoredStep } from '../store.ts';
import { openSession } from './session.ts';
import { openSite } from './site.ts';
import { stepRunner } from './steps.ts';

/** Training and held-out activations, and the fit itself. */
const STEPS = 3;

export async function fitPlan(
  plan: Plan,
  env: {
    registry: Registry;
    store: Store;
    run: RunProvenance;
    signal: AbortSignal;
    showProgress: boolean;
    force?: boolean;
  },
): Promise<StoredStep> {
  const { registry, store, run, signal, showProgress } = env;
  const [sitePlan] = plan.sites;
  const [fit] = sitePlan!.fits;
  if (env.force) await store.drop(planSteps(plan), signal);
  if (!(await store.has('fit', fit!.key))) await store.checkWritable();
  const session = await openSession(sitePlan!.subject, registry);
  const progress = await createProgress(STEPS, { enabled: showProgress });
  try {
    session.site(sitePlan!.site);
    const repliesOf = openReplies(store.root, progress.say);
    const step = stepRunner(store, progress, signal, () => {});
    return await openSite(sitePlan!, { registry, session, run, step, signal, repliesOf, others: [] }).fit(fit!);
  } finally {
    progress.stop();
    session.dispose();
  }
}
