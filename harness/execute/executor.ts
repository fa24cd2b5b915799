/** @file Works off the jobs of a plan, and keeps going past a failure. */

import { UserError } from '../errors.ts';
import type { Evaluation, Fit, Plan, SitePlan, StepKind } from '../plan.ts';
import { isFromOutside, pluginFault } from '../plugin-fault.ts';
import { checkWritable } from '../store.ts';
import { refuseChanged } from '../suite/checkpoint.ts';
import { evaluationsOf, type Job, type JobQueue } from './queue.ts';
import { keepFailure, keepResult } from './results.ts';
import type { Run } from './run.ts';
import { openSession, type Session } from './session.ts';
import { openSite, type RunningSite } from './site.ts';
import { stepRunner } from './steps.ts';

/** A step that failed, with everything that therefore has no result. */
export interface Failure {
  /** The job that it was part of. */
  job: Job;
  label: string;
  error: unknown;
  /** The method itself failed, so that no task has a result of it. */
  whole?: true;
}

/** What was done of a plan; the results lie in the run's folder. */
export interface Summary {
  /** Steps computed, by kind. */
  computed: Record<StepKind, number>;
  failures: Failure[];
}

/** Runs the jobs of a plan: here, in threads, on other machines. */
export interface Executor {
  /**
   * Ends when the queue has no job left.
   *
   * @throws UserError when the disk is full, the store unwritable, or a judge's endpoint refuses to be asked. The signal's
   * reason when aborted.
   */
  run(plan: Plan, queue: JobQueue, run: Run): Promise<Summary>;
}

/** One that does jobs; it holds one subject open at a time. */
export interface Worker {
  /**
   * Does a job. A method or task that throws loses its own results only.
   *
   * @returns What failed of it.
   * @throws UserError when the disk is full or the store unwritable. The signal's reason when aborted.
   */
  do(job: Job): Promise<Failure[]>;
  /** What it did so far. */
  summary(): Summary;
  dispose(): void;
}

/** How often a worker says that it is still at its job. */
const RENEW_MS = 10_000;

/** Counts of steps before any was computed. */
export const noSteps = (): Record<StepKind, number> => ({ activations: 0, fit: 0, prepare: 0, evaluate: 0 });

/** What several did, as one summary. */
export function joined(summaries: readonly Summary[]): Summary {
  const sum: Summary = { computed: noSteps(), failures: [] };
  for (const { computed, failures } of summaries) {
    for (const kind of Object.keys(computed) as StepKind[]) sum.computed[kind] += computed[kind];
    sum.failures.push(...failures);
  }
  return sum;
}

/** Works in this thread, one job at a time. */
export const inProcess: Executor = { run: workOff };

/**
 * Takes jobs as long as there are some.
 *
 * @param worker Who works, where there are several.
 */
export async function workOff(plan: Plan, queue: JobQueue, run: Run, worker?: string): Promise<Summary> {
  const own = openWorker(plan, run);
  try {
    for (let job = await queue.take(run.signal, worker); job; job = await queue.take(run.signal, worker)) {
      const held = job;
      // A queue that is not heard of gives the job to another, which costs time and no number.
      const renewing = setInterval(() => void queue.renew(held).catch(() => undefined), RENEW_MS).unref();
      try {
        const [failure] = await own.do(held);
        await (failure ? queue.failed(held, failure.error) : queue.done(held));
      } finally {
        clearInterval(renewing);
      }
    }
    return own.summary();
  } finally {
    own.dispose();
  }
}

/** Opens a worker on a plan that holds what is missing only. The caller disposes of it. */
export function openWorker(plan: Plan, run: Run): Worker {
  const { store, out, registry, signal, progress, chat } = run;
  const computed = noSteps();
  const failures: Failure[] = [];
  const step = stepRunner(run, (kind) => computed[kind]++);
  /** At work on. */
  let current: Job = { site: 0, fit: 0 };
  let open: { id: string; session: Session; sites: Map<SitePlan, RunningSite> } | undefined;

  /** Says and notes a failure. @returns it in one line. */
  async function fail(label: string, thrown: unknown, task?: string): Promise<string> {
    signal.throwIfAborted();
    const error = pluginFault(thrown, task === undefined ? {} : { task: registry.fileOf('task', task) }) ?? thrown;
    const message = error instanceof Error ? error.message : String(error);
    const line = message.replace(/\s+/g, ' ').trim();
    // Without results whoever asked for the fit says why there is none.
    if (out !== undefined) progress.say(`${label}: failed: ${line}`);
    failures.push({ job: current, label, error, ...(task === undefined ? { whole: true as const } : {}) });
    // Without a disk to write to, or a model to ask, every further step would fail the same way after its whole computation.
    await store.checkWritable();
    if (out !== undefined) await checkWritable(out);
    const refused = chat?.failure();
    if (refused) throw refused;
    // Ours say what is wrong by ids; of others nobody knows, and results go further than what was said here.
    const isPrivate = plan.sites[current.site]!.subject.dataset.privateItems === true;
    return isPrivate && (!(thrown instanceof UserError) || isFromOutside(thrown))
      ? 'an error that may quote private texts: the run said it'
      : line;
  }

  async function doFit(sitePlan: SitePlan, fit: Fit, running: RunningSite, job: Job): Promise<void> {
    const label = `${sitePlan.subject.id} ${sitePlan.site} ${fit.method.name} seed ${fit.seed}`;
    const own = evaluationsOf(fit, job);
    // Without the method nothing comes of the tasks either whose turn is later.
    const open = new Set(job.alone ? own : fit.evaluations);
    /** Leaves in the tables that evaluations have no rows, and why. */
    const keepFailures = async (evaluations: Iterable<Evaluation>, reason: string) => {
      for (const evaluation of evaluations) {
        await keepFailure(plan, { sitePlan, fit, evaluation }, reason, await running.facts(), run);
      }
    };
    try {
      if (own.length === 0) await running.fit(fit);
      else
        await running.withMethod(fit, async (method) => {
          await refuseChanged(fit.method, registry).catch(async (error: unknown) => {
            // What was fitted may be of the other files: it is not found again once these are put back.
            await store.drop([{ kind: 'fit', key: fit.key }], signal);
            throw error;
          });
          for (const evaluation of own) {
            try {
              await method.evaluate(evaluation);
              await keepResult(plan, { sitePlan, fit, evaluation }, run);
              open.delete(evaluation);
            } catch (error) {
              const reason = await fail(`${label} ${evaluation.task.id}`, error, evaluation.task.id);
              open.delete(evaluation);
              await keepFailures([evaluation], reason);
            }
          }
        });
    } catch (error) {
      await keepFailures(open, await fail(label, error));
    }
  }

  return {
    async do(job) {
      current = job;
      const { site, fit } = job;
      const sitePlan = plan.sites[site]!;
      const { subject } = sitePlan;
      const before = failures.length;
      if (open?.id !== subject.id) {
        open?.session.dispose();
        open = undefined;
        open = { id: subject.id, session: await openSession(subject, run), sites: new Map() };
      }
      const { session, sites } = open;
      const others = plan.sites.slice(site + 1).filter((other) => other.subject.id === subject.id);
      const running = sites.get(sitePlan) ?? openSite(sitePlan, { run, session, step, others });
      sites.set(sitePlan, running);
      await doFit(sitePlan, sitePlan.fits[fit]!, running, job);
      return failures.slice(before);
    },
    summary: () => ({ computed, failures }),
    dispose: () => open?.session.dispose(),
  };
}
