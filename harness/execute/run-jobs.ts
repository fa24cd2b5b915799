/** @file One side of a run: takes jobs as long as there are some, and keeps going past a failure. */
import type { Evaluation, Fit, Plan, SitePlan, StepKind } from '../plan.ts';
import { pluginFault } from '../plugin-fault.ts';
import type { Progress } from '../progress.ts';
import type { RunProvenance } from '../provenance.ts';
import type { Registry } from '../registry.ts';
import type { Result } from '../schema/result.generated.ts';
import { openReplies } from '../store/replies.ts';
import { checkWritable, type Store } from '../store.ts';
import type { Job } from './jobs.ts';
import { keepFailure, keepResult, type PlannedResult } from './kept-results.ts';
import { openSession, type Session } from './session.ts';
import { openSite, type RunningSite } from './site.ts';
import { stepRunner } from './steps.ts';

/** A step that failed, with everything that therefore has no result. */
export interface Failure {
  label: string;
  error: unknown;
}

/** What one side did; its results lie in `out`. */
export interface SideSummary {
  /** Steps computed, by kind. */
  computed: Record<StepKind, number>;
  failures: Failure[];
}

export interface SideEnvironment {
  registry: Registry;
  store: Store;
  out: string;
  run: RunProvenance;
  signal: AbortSignal;
  progress: Progress;
  /** The next job, as long as there is one. */
  next(): Job | undefined;
  /** Told of each result that is written. */
  onResult?(evaluation: Evaluation, result: Result): void;
}

/** Counts of steps before any was computed. */
export const noSteps = (): Record<StepKind, number> => ({ activations: 0, fit: 0, prepare: 0, evaluate: 0 });

/** @throws UserError when store or results cannot be written. */
export async function checkDisks(store: Store, out: string): Promise<void> {
  await store.checkWritable();
  await checkWritable(out);
}

/**
 * Runs jobs of a plan that holds what is missing only. A method or task that throws loses its own results only.
 *
 * @throws UserError when the disk is full or the store unwritable. The signal's reason when aborted.
 */
export async function runJobs(plan: Plan, env: SideEnvironment): Promise<SideSummary> {
  const { store, out, registry, signal, progress, run } = env;
  const computed = noSteps();
  const failures: Failure[] = [];
  const repliesOf = openReplies(store.root, progress.say);
  const step = stepRunner(store, progress, signal, (kind) => computed[kind]++);

  /** Says and notes a failure. @returns it in one line. */
  async function fail(label: string, thrown: unknown, task?: string): Promise<string> {
    signal.throwIfAborted();
    const error = pluginFault(thrown, task === undefined ? {} : { task: registry.fileOf('task', task) }) ?? thrown;
    const message = error instanceof Error ? error.message : String(error);
    const line = message.replace(/\s+/g, ' ').trim();
    progress.say(`${label}: failed: ${line}`);
    failures.push({ label, error });
    // Without a disk to write to, every further step would fail the same way after its whole computation.
    await checkDisks(store, out);
    return line;
  }

  /** Leaves in the tables that evaluations have no rows, and why. */
  async function keepFailures(planned: PlannedResult[], reason: string, running: RunningSite): Promise<void> {
    if (planned.length === 0) return;
    const facts = await running.facts();
    for (const each of planned) await keepFailure(plan, each, reason, facts, env);
  }

  async function runFit(sitePlan: SitePlan, fit: Fit, running: RunningSite): Promise<void> {
    const label = `${sitePlan.subject.id} ${sitePlan.site} ${fit.method.name} seed ${fit.seed}`;
    const open = new Set(fit.evaluations);
    try {
      await running.withMethod(fit, async (method) => {
        for (const evaluation of fit.evaluations) {
          try {
            await method.evaluate(evaluation);
            const result = await keepResult(plan, { sitePlan, fit, evaluation }, env);
            if (result) env.onResult?.(evaluation, result);
            open.delete(evaluation);
          } catch (error) {
            const reason = await fail(`${label} ${evaluation.task.id}`, error, evaluation.task.id);
            open.delete(evaluation);
            await keepFailures([{ sitePlan, fit, evaluation }], reason, running);
          }
        }
      });
    } catch (error) {
      const reason = await fail(label, error);
      await keepFailures(
        [...open].map((evaluation) => ({ sitePlan, fit, evaluation })),
        reason,
        running,
      );
    }
  }

  let open: { id: string; session: Session; sites: Map<SitePlan, RunningSite> } | undefined;
  try {
    for (let job = env.next(); job; job = env.next()) {
      const sitePlan = plan.sites[job.site]!;
      const { subject } = sitePlan;
      if (open?.id !== subject.id) {
        open?.session.dispose();
        open = undefined;
        open = { id: subject.id, session: await openSession(subject, registry), sites: new Map() };
      }
      const { session, sites } = open;
      const later = plan.sites.slice(job.site + 1).filter((other) => other.subject.id === subject.id);
      const running =
        sites.get(sitePlan) ?? openSite(sitePlan, { registry, session, run, step, signal, repliesOf, others: later });
      sites.set(sitePlan, running);
      await runFit(sitePlan, sitePlan.fits[job.fit]!, running);
    }
  } finally {
    open?.session.dispose();
  }
  return { computed, failures };
}
