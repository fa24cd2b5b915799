/** @file Runs a plan: resumes from results and store, shares the work out between threads, stops in order when aborted. */
import { UserError } from './errors.ts';
import type { AsideStart } from './execute/aside.ts';
import { checkSites } from './execute/check-sites.ts';
import { dealJobs, takeJob } from './execute/jobs.ts';
import { dropResults, findFailure, findResult, plannedResults } from './execute/kept-results.ts';
import { countSteps, planOf } from './execute/missing.ts';
import { type Failure, noSteps, runJobs, type SideSummary } from './execute/run-jobs.ts';
import { sharingCores } from './num/backend.ts';
import { type Evaluation, type Plan, planSteps, type StepKind } from './plan.ts';
import { createProgress, type Progress } from './progress.ts';
import type { RunProvenance } from './provenance.ts';
import type { Registry } from './registry.ts';
import type { Result } from './schema/result.generated.ts';
import { checkWritable, type Store } from './store.ts';

export interface ExecuteEnvironment {
  registry: Registry;
  store: Store;
  /** Folder that results go to. */
  out: string;
  run: RunProvenance;
  signal: AbortSignal;
  showProgress: boolean;
  /** Compute also what the store and the results have. */
  force?: boolean;
  /** Threads that work beside this one. */
  aside?: { threads: number; start: AsideStart };
  say(line: string): void;
}

export interface RunSummary extends SideSummary {
  /** In the order of the plan. */
  results: Result[];
  /** Results that were there before. */
  present: number;
  /** What failed, as results without rows, in the order of the plan. */
  failed: Result[];
}

/** This thread's side; the others follow. */
const OWN_SIDE = 0;

/**
 * Runs what of the plan is missing. A method or task that throws loses its own results only.
 *
 * @throws UserError before anything is computed for an unknown site or impossible sizes; when the disk is full or the
 * store unwritable. The signal's reason when aborted: what was done is in the store.
 */
export async function executePlan(plan: Plan, env: ExecuteEnvironment): Promise<RunSummary> {
  const { store, out, registry, signal } = env;
  await checkWritable(out);
  if (env.force) {
    await store.drop(planSteps(plan), signal);
    await dropResults(plan, out);
  }
  const planned = plannedResults(plan);
  const results = new Map<Evaluation, Result>();
  const keep = (evaluation: Evaluation, result: Result) => results.set(evaluation, result);
  const find = async () => {
    for (const each of planned) {
      if (results.has(each.evaluation)) continue;
      const result = await findResult(plan, each, env);
      if (result) keep(each.evaluation, result);
    }
  };
  await find();
  const present = results.size;
  const missing = new Set(planned.map(({ evaluation }) => evaluation).filter((each) => !results.has(each)));
  const computed = noSteps();
  const failures: Failure[] = [];
  if (missing.size > 0) {
    if (present > 0) env.say(`${present} results are there already; going on with the rest.`);
    // A store that has everything may be one that nobody can write to.
    await store.checkWritable();
    const todo = planOf(plan, missing);
    const small = await checkSites(todo, registry, signal);
    const progress = await createProgress(await countSteps(todo, store), { enabled: env.showProgress });
    try {
      const keys = planSteps(todo).map(({ key }) => key);
      for (const side of await store.using(keys, () => runSides(todo, small, progress, env, keep))) {
        for (const [kind, count] of Object.entries(side.computed)) computed[kind as StepKind] += count;
        failures.push(...side.failures);
      }
    } finally {
      progress.stop();
    }
    await find();
  }
  const failed: Result[] = [];
  for (const each of planned) {
    const failure = results.has(each.evaluation) ? undefined : await findFailure(each, out);
    if (failure) failed.push(failure);
  }
  return {
    results: planned.flatMap(({ evaluation }) => results.get(evaluation) ?? []),
    present,
    computed,
    failures,
    failed,
  };
}

/** Runs the jobs of a plan here and in the threads beside this one. When a side breaks off, all of them do. */
async function runSides(
  plan: Plan,
  small: ReadonlySet<string>,
  progress: Progress,
  { aside, ...env }: ExecuteEnvironment,
  onResult: (evaluation: Evaluation, result: Result) => void,
): Promise<SideSummary[]> {
  const subjects = new Set(plan.sites.map(({ subject }) => subject.id));
  const fits = plan.sites.reduce((sum, sitePlan) => sum + sitePlan.fits.length, 0);
  // Where nothing may be shared, a side without a subject of its own has nothing to do.
  const useful = small.size > 0 ? fits : subjects.size;
  const others = aside ? Math.min(aside.threads, useful - 1) : 0;
  const jobs = dealJobs(plan, others + 1, (subject) => small.has(subject));
  const stop = new AbortController();
  const signal = AbortSignal.any([env.signal, stop.signal]);
  const stopOnError = (error: unknown) => {
    stop.abort(error);
    throw error;
  };
  const sides = Array.from({ length: others }, (_, i) =>
    aside!.start({ plan, jobs, side: i + 1 }, { progress, signal, say: env.say }),
  );
  const own = { ...env, signal, progress, onResult, next: () => takeJob(jobs, OWN_SIDE) };
  sides.unshift(sharingCores(() => runJobs(plan, own)));
  const ended = await Promise.allSettled(sides.map((side) => side.catch(stopOnError)));
  env.signal.throwIfAborted();
  // The first error is the reason that the other sides stopped for.
  if (stop.signal.aborted) throw stop.signal.reason;
  return ended.map((side) => (side as PromiseFulfilledResult<SideSummary>).value);
}

/** Exit code of a run: 2 when every failure was the user's, 1 when any was not, 0 without failures. */
export function exitCodeOf(failures: readonly Failure[]): 0 | 1 | 2 {
  if (failures.length === 0) return 0;
  return failures.every(({ error }) => error instanceof UserError) ? 2 : 1;
}
