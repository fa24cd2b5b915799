/** @file Opens a run's site again, draws a set of its methods, and seals it. What the store has lost is refused, or made anew. */
import { UserError } from '../errors.ts';
import type { Run } from '../execute/run.ts';
import { openSession } from '../execute/session.ts';
import { openSite } from '../execute/site.ts';
import { stepRunner } from '../execute/steps.ts';
import type { Fit, Plan } from '../plan.ts';
import type { Result } from '../schema/result.generated.ts';
import { isImported } from '../suite/resolved.ts';
import { type DrawnSet, type DrawOptions, drawSet } from './draw-set.ts';
import { resultTemplate } from './result-template.ts';
import { type SealedSet, sealSet } from './seal.ts';

/** The methods of a plan with one site that the run has scored, each with its first seed, and those that are to stand beside them. */
export interface ChosenFits {
  fits: Fit[];
  /** Names of those that the run has not. */
  added: string[];
  /** Names of methods of the run that cannot be asked about: what they were fitted with has changed, or the latest run has them not. */
  stale: string[];
}

/**
 * @param results Of the run at that site.
 * @param beside Ids of the methods that stand beside those of the run.
 * @throws UserError where all results come from other code or settings than the plan.
 */
export function chooseFits(plan: Plan, results: readonly Result[], beside: readonly string[]): ChosenFits {
  const { fits: planned } = plan.sites[0]!;
  const keys = new Set(results.map(({ provenance }) => provenance.steps['fit']));
  const scoredNames = new Set(results.map(({ method }) => method.name));
  const [fits, added, stale]: [Fit[], Fit[], string[]] = [[], [], []];
  for (const name of new Set(planned.map(({ method }) => method.name))) {
    const own = planned.filter(({ method }) => method.name === name);
    const scored = own.find(({ key }) => keys.has(key));
    if (scored) fits.push(scored);
    else if (scoredNames.has(name)) stale.push(name);
    else if (beside.includes(own[0]!.method.id)) added.push(own[0]!);
  }
  if (fits.length === 0) {
    throw new UserError(
      'assess export: expected methods as they are in the run; all its results come from other code, settings or another build than this saxbench: run it again with the same --out.',
    );
  }
  return { fits: [...fits, ...added], added: added.map(({ method }) => method.name), stale };
}

/** @throws UserError where the store has not what the run made, unless it may be made anew. */
async function checkStore({ store, say }: Run, plan: Plan, fits: readonly Fit[], refit: boolean): Promise<void> {
  const { subject, activations } = plan.sites[0]!;
  const steps = [
    ...(isImported(subject) ? [] : Object.values(activations).map((key) => ({ kind: 'activations' as const, key }))),
    ...fits.map(({ key }) => ({ kind: 'fit' as const, key })),
  ];
  let missing = 0;
  for (const { kind, key } of steps) if (!(await store.has(kind, key))) missing++;
  if (missing === 0) return;
  const lost = `${missing} of the ${steps.length} steps that the run made are not in the store ${store.root}`;
  if (!refit) throw new UserError(`assess: ${lost} (any more): --refit computes them again, to the same numbers.`);
  say(`${lost}: they are computed again.`);
}

export interface ExportOptions extends DrawOptions {
  refit: boolean;
  includeTexts: boolean;
  /** The run's folder, from that of the set. */
  folder: string;
}

/**
 * @param chosen Of the one site of the plan.
 * @throws UserError where there is nothing to ask, or texts may not be shown.
 */
export async function exportSet(
  plan: Plan,
  run: Run,
  { fits, added }: ChosenFits,
  { refit, includeTexts, folder, ...options }: ExportOptions,
): Promise<SealedSet & Pick<DrawnSet, 'left' | 'rule'>> {
  const sitePlan = plan.sites[0]!;
  await checkStore(
    run,
    plan,
    fits.filter(({ method }) => !added.includes(method.name)),
    refit,
  );
  const session = await openSession(sitePlan.subject, run);
  try {
    if (session.dataset.privateItems && !includeTexts) {
      throw new UserError(
        `assess: the items of ${session.dataset.id} are private, and raters must see them: --include-texts puts them into the page; give it to nobody who may not read them.`,
      );
    }
    const step = stepRunner(run, () => {});
    const running = openSite(sitePlan, { run, session, step, others: [] });
    const drawn = await drawSet({ run, sitePlan, session }, running, fits, options);
    const facts = await running.facts();
    const templates = drawn.methods.map((method) =>
      resultTemplate(plan, sitePlan, method, options.protocol, { ...options }, facts, run.provenance),
    );
    const { protocol, seed } = options;
    const { left, rule } = drawn;
    return { ...sealSet(drawn, templates, { protocol, seed, run: folder }), left, rule };
  } finally {
    session.dispose();
  }
}
