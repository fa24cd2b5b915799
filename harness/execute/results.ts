/** @file The results of a run: where each belongs, whether it is there, what is missing, written from the step that made it. */
import { rm } from 'node:fs/promises';
import { type Evaluation, type Fit, type Plan, planSteps, type SitePlan } from '../plan.ts';
import { partedDetails, withoutItems, writeHeld } from '../results/held-texts.ts';
import { type ResultPlace, readResult, resultFile, sealed, storedResult, writeResult } from '../results.ts';
import type { Result } from '../schema/result.generated.ts';
import type { Store } from '../store.ts';
import { resultOf, resultWith } from './evaluate.ts';
import type { Run } from './run.ts';
import type { SiteFacts } from './site-facts.ts';

/** One evaluation with what it belongs to. */
export interface PlannedResult {
  sitePlan: SitePlan;
  fit: Fit;
  evaluation: Evaluation;
}

/** The folder of a run that scores something. */
function outOf({ out }: Pick<Run, 'out'>): string {
  if (out === undefined) throw new Error('internal: a run without a folder of results has results');
  return out;
}

/** All results of a plan, in its order. */
export const plannedResults = (plan: Plan): PlannedResult[] =>
  plan.sites.flatMap((sitePlan) =>
    sitePlan.fits.flatMap((fit) => fit.evaluations.map((evaluation) => ({ sitePlan, fit, evaluation }))),
  );

/** Where a planned result belongs. */
export function placeOf({ sitePlan, fit, evaluation: { task, seed } }: PlannedResult): ResultPlace {
  const { method, identity } = fit;
  return { subject: sitePlan.subject.id, site: sitePlan.site, method: method.name, identity, task: task.id, seed };
}

/** Writes the result of an evaluation that the store has. */
export async function keepResult(
  plan: Plan,
  planned: PlannedResult,
  run: Pick<Run, 'registry' | 'store' | 'out'>,
): Promise<Result | undefined> {
  const { sitePlan, fit, evaluation } = planned;
  const { registry, store } = run;
  const stored = await store.open('evaluate', evaluation.key);
  if (!stored) return undefined;
  const task = await registry.get('task', evaluation.task.id);
  const { details, latents, ...rest } = await resultOf(plan, sitePlan, fit, evaluation, stored, task);
  const isPrivate = sitePlan.subject.dataset.privateItems === true;
  const { kept, held } = isPrivate ? partedDetails(details, task.words) : { kept: details, held: [] };
  const result = sealed({
    ...rest,
    ...(kept ? { details: kept as NonNullable<Result['details']> } : {}),
    ...(latents ? { latents: isPrivate ? withoutItems(latents) : latents } : {}),
  });
  const file = await writeResult(outOf(run), result);
  await writeHeld(outOf(run), file, result.key, held);
  return result;
}

/** Writes that an evaluation failed, and why: a row of the tables, and nothing that the next run would take for done. */
export async function keepFailure(
  plan: Plan,
  planned: PlannedResult,
  failed: string,
  facts: SiteFacts,
  run: Run,
): Promise<void> {
  const { sitePlan, fit, evaluation } = planned;
  const task = await run.registry.get('task', evaluation.task.id);
  const meta = { run: run.provenance, ...facts, seconds: {} };
  await writeResult(outOf(run), resultWith(plan, sitePlan, fit, evaluation, { rows: [], failed }, meta, task));
}

/** Removes the results of a plan, so that nothing of them is taken for done. */
export async function dropResults(plan: Plan, run: Pick<Run, 'out'>): Promise<void> {
  for (const planned of plannedResults(plan)) await rm(resultFile(outOf(run), placeOf(planned)), { force: true });
}

/** Why an evaluation failed when it last ran, as a result without rows. */
export async function findFailure(planned: PlannedResult, run: Pick<Run, 'out'>): Promise<Result | undefined> {
  const result = await readResult(resultFile(outOf(run), placeOf(planned))).catch(() => undefined);
  return result?.failed !== undefined && result.key === planned.evaluation.key ? result : undefined;
}

/** A result that is there: as a file, or in the store from another run. */
export async function findResult(
  plan: Plan,
  planned: PlannedResult,
  run: Pick<Run, 'registry' | 'store' | 'out'>,
): Promise<Result | undefined> {
  const found = await storedResult(outOf(run), placeOf(planned), planned.evaluation.key);
  // Whether items are private changes no key, but what a result may hold.
  const isPrivate = planned.sitePlan.subject.dataset.privateItems;
  if (found && found.dataset.privateItems === isPrivate) return found;
  return keepResult(plan, planned, run);
}

/** The plan with the evaluations of `missing` only, and with what they need; and fits that no task scores, if the store has them not. */
export async function missingOf(plan: Plan, missing: ReadonlySet<Evaluation>, store: Store): Promise<Plan> {
  const sites: SitePlan[] = [];
  for (const sitePlan of plan.sites) {
    const fits: Fit[] = [];
    for (const fit of sitePlan.fits) {
      const evaluations = fit.evaluations.filter((evaluation) => missing.has(evaluation));
      const unscored = fit.evaluations.length === 0 && !(await store.open('fit', fit.key));
      if (evaluations.length > 0 || unscored) fits.push({ ...fit, evaluations });
    }
    const wanted = new Set(fits.flatMap((fit) => fit.evaluations.map(({ prepare }) => prepare)));
    if (fits.length > 0)
      sites.push({ ...sitePlan, fits, prepares: sitePlan.prepares.filter(({ key }) => wanted.has(key)) });
  }
  return { ...plan, sites };
}

/** Steps of a plan that the store has not. */
export async function countSteps(plan: Plan, store: Store): Promise<number> {
  let count = 0;
  for (const { kind, key } of planSteps(plan)) if (!(await store.has(kind, key))) count++;
  return count;
}
