/** @file The results of a run: where each belongs, whether it is there, written from the step that made it. */
import { rm } from 'node:fs/promises';
import type { Evaluation, Fit, Plan, SitePlan } from '../plan.ts';
import type { RunProvenance } from '../provenance.ts';
import type { Registry } from '../registry.ts';
import { type ResultPlace, readResult, resultFile, sealed, storedResult, writeResult } from '../results.ts';
import type { Result } from '../schema/result.generated.ts';
import type { Store } from '../store.ts';
import { resultOf, resultWith } from './evaluate.ts';
import type { SiteFacts } from './site.ts';

/** One evaluation with what it belongs to. */
export interface PlannedResult {
  sitePlan: SitePlan;
  fit: Fit;
  evaluation: Evaluation;
}

export interface ResultsEnvironment {
  registry: Registry;
  store: Store;
  /** Folder that results go to. */
  out: string;
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
  { registry, store, out }: ResultsEnvironment,
): Promise<Result | undefined> {
  const { sitePlan, fit, evaluation } = planned;
  const stored = await store.open('evaluate', evaluation.key);
  if (!stored) return undefined;
  const task = await registry.get('task', evaluation.task.id);
  const result = sealed(await resultOf(plan, sitePlan, fit, evaluation, stored, task));
  await writeResult(out, result);
  return result;
}

/** Writes that an evaluation failed, and why: a row of the tables, and nothing that the next run would take for done. */
export async function keepFailure(
  plan: Plan,
  planned: PlannedResult,
  failed: string,
  facts: SiteFacts,
  { registry, out, run }: Pick<ResultsEnvironment, 'registry' | 'out'> & { run: RunProvenance },
): Promise<void> {
  const { sitePlan, fit, evaluation } = planned;
  const task = await registry.get('task', evaluation.task.id);
  const meta = { run, ...facts, seconds: {} };
  await writeResult(out, resultWith(plan, sitePlan, fit, evaluation, { rows: [], failed }, meta, task));
}

/** Removes the results of a plan, so that nothing of them is taken for done. */
export async function dropResults(plan: Plan, out: string): Promise<void> {
  for (const planned of plannedResults(plan)) await rm(resultFile(out, placeOf(planned)), { force: true });
}

/** Why an evaluation failed when it last ran, as a result without rows. */
export async function findFailure(planned: PlannedResult, out: string): Promise<Result | undefined> {
  const result = await readResult(resultFile(out, placeOf(planned))).catch(() => undefined);
  return result?.failed !== undefined && result.key === planned.evaluation.key ? result : undefined;
}

/** A result that is there: as a file, or in the store from another run. */
export async function findResult(
  plan: Plan,
  planned: PlannedResult,
  env: ResultsEnvironment,
): Promise<Result | undefined> {
  const found = await storedResult(env.out, placeOf(planned), planned.evaluation.key);
  return found ?? keepResult(plan, planned, env);
}
