/** @file Runs a plan: resumes from results and store, has an executor work off the rest, stops in order when aborted. */
import { UserError } from './errors.ts';
import { checkSites } from './execute/check-sites.ts';
import { type Executor, type Failure, inProcess, joined, noSteps, type Summary } from './execute/executor.ts';
import { type Job, jobsAlone, jobsBeside, planQueue } from './execute/queue.ts';
import {
  countSteps,
  dropResults,
  findFailure,
  findResult,
  missingOf,
  type PlannedResult,
  plannedResults,
} from './execute/results.ts';
import type { Run } from './execute/run.ts';
import { type Evaluation, type Plan, planSteps } from './plan.ts';
import { createProgress } from './progress.ts';
import type { Result } from './schema/result.generated.ts';
import { checkWritable } from './store.ts';
import { judgesOf } from './suite/resolved.ts';

export interface ExecuteOptions {
  showProgress: boolean;
  /** Compute also what the store and the results have. */
  force?: boolean;
  /** Who works the jobs off; this thread when not given. */
  executor?: Executor;
}

export interface RunSummary extends Summary {
  /** In the order of the plan. */
  results: Result[];
  /** Results that were there before. */
  present: number;
  /** What failed, as results without rows, in the order of the plan. */
  failed: Result[];
}

/**
 * Runs what of the plan is missing. A method or task that throws loses its own results only. A plan without tasks leaves
 * its fitted methods in the store.
 *
 * @throws UserError before anything is computed for an unknown site or impossible sizes; when the disk is full or the
 * store unwritable. The signal's reason when aborted: what was done is in the store.
 */
export async function executePlan(
  plan: Plan,
  run: Omit<Run, 'progress'>,
  { showProgress, force, executor = inProcess }: ExecuteOptions,
): Promise<RunSummary> {
  const { store, out, signal } = run;
  if (out !== undefined) await checkWritable(out);
  if (force) {
    await store.drop(planSteps(plan), signal);
    await dropResults(plan, run);
  }
  const planned = plannedResults(plan);
  const results = new Map<Evaluation, Result>();
  const isMissing = ({ evaluation }: PlannedResult) => !results.has(evaluation);
  const found = async () => {
    const incomplete: PlannedResult[] = [];
    for (const each of planned.filter(isMissing)) {
      const result = await findResult(plan, each, run);
      if (result?.incomplete !== undefined) incomplete.push(each);
      if (result) results.set(each.evaluation, result);
    }
    return incomplete;
  };
  const incomplete = await found();
  for (const { evaluation } of incomplete) results.delete(evaluation);
  const present = results.size;
  const missing = new Set(planned.filter(isMissing).map(({ evaluation }) => evaluation));
  const todo = await missingOf(plan, missing, store);
  let done: Summary = { computed: noSteps(), failures: [] };
  if (todo.sites.length > 0) {
    if (present > 0) run.say(`${present} results are there already; going on with the rest.`);
    if (incomplete.length > 0) {
      run.say(`${incomplete.length} results lack ratings that a judge could not be asked for; they are made anew.`);
      const steps = incomplete.map(({ evaluation: { key } }) => ({ kind: 'evaluate' as const, key }));
      await store.drop(steps, signal);
    }
    // A store that has everything may be one that nobody can write to.
    await store.checkWritable();
    await run.chat?.greet?.(modelsAsked(todo));
    const small = await checkSites(todo, run);
    const progress = await createProgress(await countSteps(todo, store), { enabled: showProgress });
    try {
      const keys = planSteps(todo).map(({ key }) => key);
      const work = (jobs: Job[]) =>
        executor.run(
          todo,
          planQueue(todo, jobs, (subject) => small.has(subject)),
          { ...run, progress },
        );
      done = await store.using(keys, async () => {
        const beside = await jobsBeside(todo, (key) => store.has('fit', key));
        const first = beside.length > 0 ? await work(beside) : done;
        const failed = first.failures.filter(({ whole }) => whole).map(({ job }) => job);
        const alone = jobsAlone(todo, failed);
        return alone.length > 0 ? joined([first, await work(alone)]) : first;
      });
    } finally {
      progress.stop();
    }
    await found();
  }
  const failed: Result[] = [];
  for (const each of planned.filter(isMissing)) {
    const failure = await findFailure(each, run);
    if (failure) failed.push(failure);
  }
  // Whoever worked them off, they are told in the order of the plan.
  done.failures.sort((a, b) => a.job.site - b.job.site || a.job.fit - b.job.fit);
  return { ...done, results: planned.flatMap(({ evaluation }) => results.get(evaluation) ?? []), present, failed };
}

/** Names of the models that the judges of a plan ask. */
function modelsAsked({ sites }: Plan): string[] {
  const tasks = sites.flatMap(({ fits }) => fits.flatMap(({ evaluations }) => evaluations.map(({ task }) => task)));
  const judges = tasks.flatMap(judgesOf).filter(({ endpoint }) => endpoint !== undefined);
  return [...new Set(judges.map(({ options }) => String(options['model'])))];
}

/** Exit code of a run: 2 when every failure was the user's, 1 when any was not, 0 without failures. */
export function exitCodeOf(failures: readonly Failure[]): 0 | 1 | 2 {
  if (failures.length === 0) return 0;
  return failures.every(({ error }) => error instanceof UserError) ? 2 : 1;
}
