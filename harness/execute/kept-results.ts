/** @file The results of a run: where each belongs, whether it is there, written from the step that made it. */
import type { Cell, Evaluation, Fit, Plan } from '../plan.ts';
import type { Registry } from '../registry.ts';
import { type ResultPlace, storedResult, writeResult } from '../results.ts';
import type { Result } from '../schema/result.generated.ts';
import type { Store } from '../store.ts';
import { resultOf } from './evaluate.ts';

/** One evaluation with what it belongs to. */
export interface PlannedResult {
  cell: Cell;
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
  plan.cells.flatMap((cell) =>
    cell.fits.flatMap((fit) => fit.evaluations.map((evaluation) => ({ cell, fit, evaluation }))),
  );

function placeOf({ cell, fit, evaluation: { task, seed } }: PlannedResult): ResultPlace {
  return { subject: cell.subject.id, site: cell.site, method: fit.method.name, task: task.id, seed };
}

/** Writes the result of an evaluation that the store has. */
export async function keepResult(
  plan: Plan,
  planned: PlannedResult,
  { registry, store, out }: ResultsEnvironment,
): Promise<Result | undefined> {
  const { cell, fit, evaluation } = planned;
  const stored = await store.open('evaluate', evaluation.key);
  if (!stored) return undefined;
  const task = await registry.get('task', evaluation.task.id);
  const result = await resultOf(plan, cell, fit, evaluation, stored, task);
  await writeResult(out, result);
  return result;
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
