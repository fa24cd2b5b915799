/** @file The jobs of a run, which those who work on it take one by one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Evaluation, Fit, Plan } from '../plan.ts';

/** One method at one site, with tasks that score it: positions in the plan. */
export interface Job {
  site: number;
  fit: number;
  /** Its tasks are those that measure time, and no other job runs meanwhile; the others where this is not given. */
  alone?: true;
}

/** The tasks of a job's method that are the job's. */
export const evaluationsOf = ({ evaluations }: Fit, { alone }: Job): Evaluation[] =>
  evaluations.filter(({ task }) => (task.exclusive ?? false) === (alone ?? false));

const fitsOf = (plan: Plan) =>
  plan.sites.flatMap(({ fits }, site) => fits.map((planned, fit) => ({ planned, job: { site, fit } as Job })));

/**
 * What runs side by side: fitting all methods, and the tasks that measure no time.
 *
 * @param isFitted Whether a fit is there already: of such a method nothing may be left but what measures time.
 */
export async function jobsBeside(plan: Plan, isFitted: (key: string) => Promise<boolean>): Promise<Job[]> {
  const jobs: Job[] = [];
  for (const { planned, job } of fitsOf(plan)) {
    if (evaluationsOf(planned, job).length > 0 || !(await isFitted(planned.key))) jobs.push(job);
  }
  return jobs;
}

/**
 * What runs after that, one by one: the tasks that measure time.
 *
 * @param without Jobs of methods that failed as a whole.
 */
export function jobsAlone(plan: Plan, without: readonly Job[]): Job[] {
  const failed = new Set(without.map(({ site, fit }) => `${site}.${fit}`));
  return fitsOf(plan).flatMap(({ planned, job }) => {
    const alone: Job = { ...job, alone: true };
    return evaluationsOf(planned, alone).length > 0 && !failed.has(`${job.site}.${job.fit}`) ? [alone] : [];
  });
}

export interface JobQueue {
  /** Most workers that find work at the same time, where that is known. */
  readonly width?: number;
  /**
   * The next job, which is the worker's until it is done or failed, or until its lease ends without having been renewed;
   * undefined when nothing is left for this worker.
   *
   * @param worker Who asks, where there are several: a worker is best given what it has open.
   * @throws The signal's reason when aborted.
   */
  take(signal: AbortSignal, worker?: string): Promise<Job | undefined>;
  /** Says that the job is still worked on. */
  renew(job: Job): Promise<void>;
  done(job: Job): Promise<void>;
  /** The job did not give all that it should, and would not if it were done again. */
  failed(job: Job, error: unknown): Promise<void>;
}

/** How often a job that nobody renews is looked for. */
const POLL_MS = 50;

/** What is left of one subject. */
interface SubjectJobs {
  id: string;
  /** Evaluations: the work that it is. */
  work: number;
  /** In the order of the plan: suites have first what takes longest, so that a run ends with short jobs. */
  left: Job[];
}

/**
 * A queue in memory. Jobs that are to run alone are given one at a time, to whoever asks when none runs. Else a worker is given what is left of the subject that it has open, since activations of a subject are
 * collected together; then the largest subject that nobody has open; then a part of another's.
 *
 * @param plan What the run has to do, and no more.
 * @param jobs Its jobs: all of them such that run side by side, or all such that run alone.
 * @param isShared Whether two workers may hold a subject open at the same time.
 * @param leaseMs How long a job that is not renewed stays its worker's; as long as the run, when not given.
 */
export function planQueue(
  plan: Plan,
  jobs: readonly Job[],
  isShared: (subject: string) => boolean,
  leaseMs = Infinity,
): JobQueue {
  const subjects = new Map<string, SubjectJobs>();
  for (const job of jobs) {
    const { subject, fits } = plan.sites[job.site]!;
    const own = subjects.get(subject.id) ?? { id: subject.id, work: 0, left: [] };
    own.left.push(job);
    own.work += evaluationsOf(fits[job.fit]!, job).length;
    subjects.set(subject.id, own);
  }
  const alone = jobs.some((job) => job.alone);
  const largestFirst = [...subjects.values()].sort((a, b) => b.work - a.work);
  const all = [...subjects.values()];
  const shared = all.filter(({ id }) => isShared(id)).reduce((sum, { left }) => sum + left.length, 0);
  /** Subjects that workers have open. */
  const open = new Map<string, string>();
  const running = new Map<string, { job: Job; worker: string; until: number }>();
  const nameOf = ({ site, fit }: Job) => `${site}.${fit}`;
  const subjectOf = ({ site }: Job) => plan.sites[site]!.subject.id;

  function next(worker: string): Job | undefined {
    if (alone && running.size > 0) return undefined;
    const others = new Set([...open].filter(([name]) => name !== worker).map(([, subject]) => subject));
    const chosen = [
      ...all.filter(({ id }) => open.get(worker) === id),
      ...largestFirst.filter(({ id }) => !others.has(id)),
      ...all.filter(({ id }) => isShared(id)),
    ].find(({ left }) => left.length > 0);
    return chosen?.left.shift();
  }

  /** Puts back what nobody is heard of any more. */
  function recall(): void {
    for (const [name, { job, worker, until }] of running) {
      if (until > performance.now()) continue;
      running.delete(name);
      open.delete(worker);
      subjects.get(subjectOf(job))!.left.unshift(job);
    }
  }

  const end = async (job: Job) => void running.delete(nameOf(job));
  return {
    // Jobs of a subject that is held once only are one worker's.
    width: alone ? 1 : Math.max(1, Math.min(jobs.length, shared + all.filter(({ id }) => !isShared(id)).length)),
    async take(signal, worker = '') {
      for (;;) {
        signal.throwIfAborted();
        recall();
        const job = next(worker);
        if (job) {
          open.set(worker, subjectOf(job));
          running.set(nameOf(job), { job, worker, until: performance.now() + leaseMs });
          return job;
        }
        open.delete(worker);
        // Another worker's job may yet come back.
        if (leaseMs === Infinity || running.size === 0) return undefined;
        await sleep(POLL_MS, undefined, { signal });
      }
    },
    async renew(job) {
      const own = running.get(nameOf(job));
      if (own) own.until = performance.now() + leaseMs;
    },
    done: end,
    failed: end,
  };
}
