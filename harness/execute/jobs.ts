/**
 * @file Who does what of a run that several threads share: each has subjects of its own, and whoever is done first takes
 * over from the others, one method at a time.
 */
import type { Plan } from '../plan.ts';

/** One method at one site, with the tasks that score it: positions in the plan. */
export interface Job {
  site: number;
  fit: number;
}

/** What is left, in memory that threads share, so that a thread takes a job without asking another that is at work. */
export interface Jobs {
  /** For each site how many of its jobs were asked for. */
  taken: Int32Array<SharedArrayBuffer>;
  /** Sites by subject: how many jobs, their first owner's side, and whether other sides may help. */
  sites: { jobs: number; side: number; shared: boolean }[];
}

/**
 * Deals whole subjects out to `sides`, the largest first, since their activations are collected together.
 *
 * @param plan What the run has to do, and no more.
 * @param isShared Whether two sides may hold a subject open at the same time.
 */
export function dealJobs(plan: Plan, sides: number, isShared: (subject: string) => boolean): Jobs {
  const work = new Map<string, number>();
  for (const { subject, fits } of plan.sites) {
    const own = fits.reduce((sum, { evaluations }) => sum + evaluations.length, 0);
    work.set(subject.id, (work.get(subject.id) ?? 0) + own);
  }
  const load = new Array<number>(sides).fill(0);
  const sideOf = new Map<string, number>();
  for (const [subject, own] of [...work].sort((a, b) => b[1] - a[1])) {
    const side = load.indexOf(Math.min(...load));
    load[side]! += own;
    sideOf.set(subject, side);
  }
  const taken = new Int32Array(new SharedArrayBuffer(4 * plan.sites.length));
  const sites = plan.sites.map(({ subject: { id }, fits }) => {
    return { jobs: fits.length, side: sideOf.get(id)!, shared: isShared(id) };
  });
  return { taken, sites };
}

/**
 * The next job of a side: of its own subjects in the order of the plan, then of the others' first site that has some left. All
 * take from the start of a site, where suites have what takes longest: two sides that work on the last site end with short jobs.
 */
export function takeJob({ taken, sites }: Jobs, side: number): Job | undefined {
  for (const own of [true, false]) {
    for (const [site, { jobs, side: owner, shared }] of sites.entries()) {
      if (own ? owner !== side : !shared) continue;
      // What is asked for beyond the last job stays few: one for each side and call.
      const fit = Atomics.load(taken, site) < jobs ? Atomics.add(taken, site, 1) : jobs;
      if (fit < jobs) return { site, fit };
    }
  }
  return undefined;
}
