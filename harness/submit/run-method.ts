/** @file Runs the suite of one method, and gives its results with the hashes of what was fitted. */
import { UserError } from '../errors.ts';
import type { Executor } from '../execute/executor.ts';
import type { PreparedRun } from '../execute/run.ts';
import { executePlan, type RunSummary } from '../execute.ts';
import { type Fit, type Plan, planSteps } from '../plan.ts';
import type { Registry } from '../registry.ts';
import type { Result } from '../schema/result.generated.ts';
import type { SubmissionLeftOut, SubmissionWeights } from '../schema/submission.generated.ts';
import { arraysDigest } from '../store/arrays.ts';
import type { Store } from '../store.ts';

/** What a run of one method needs. */
export interface MethodRun {
  name: string;
  made: PreparedRun;
  registry: Registry;
  store: Store;
  /** Folder that results go to. */
  out: string;
  executor: Executor;
  showProgress: boolean;
  force?: boolean;
  signal: AbortSignal;
  say(line: string): void;
}

const fitsOf = ({ sites }: Plan, name: string): { subject: string; site: string; fit: Fit }[] =>
  sites.flatMap(({ subject, site, fits }) =>
    fits.filter(({ method }) => method.name === name).map((fit) => ({ subject: subject.id, site, fit })),
  );

/** The plan with the results of some seeds alone, each under the key that it has in the whole; what else they need is kept. */
export function onlySeeds(plan: Plan, seeds: readonly number[]): Plan {
  const sites = plan.sites.flatMap((site) => {
    const narrowed = site.fits.map((fit) => ({
      ...fit,
      evaluations: fit.evaluations.filter(({ seed }) => seeds.includes(seed)),
    }));
    const others = new Set(
      narrowed.flatMap((fit) =>
        fit.evaluations.flatMap(({ otherSeed, general }) => [otherSeed, general].flatMap((other) => other?.key ?? [])),
      ),
    );
    const fits = narrowed.filter(({ key, evaluations }) => evaluations.length > 0 || others.has(key));
    return fits.length > 0 ? [{ ...site, fits }] : [];
  });
  return { ...plan, sites };
}

/** Hashes of what was fitted, each fit once; of a checkpoint of its files. */
export async function weightsOf(plan: Plan, name: string, store: Store): Promise<SubmissionWeights[]> {
  const weights: SubmissionWeights[] = [];
  for (const { subject, site, fit } of fitsOf(plan, name)) {
    const { fingerprint } = fit.method.options;
    const step = await store.open('fit', fit.key);
    if (!step) throw new Error(`internal: the store has no fit ${fit.key} of ${name}`);
    const sha256 = fit.method.checkpoint === undefined ? await arraysDigest(step.folder) : String(fingerprint);
    weights.push({ subject, site, seed: fit.seed, sha256 });
  }
  return weights;
}

/** Why subjects of the suite have no results of the method. */
export const leftOutOf = ({ skipped }: Plan, name: string): SubmissionLeftOut[] =>
  skipped.flatMap(({ subject, method, reason }) =>
    subject !== undefined && method === name ? [{ subject, reason }] : [],
  );

function refuseFailures({ failures }: RunSummary, name: string): void {
  const [first] = failures;
  if (!first) return;
  const { label, error } = first;
  const message = error instanceof Error ? error.message : String(error);
  throw new UserError(
    `submit ${name}: expected a run without failures; found ${failures.length}, the first in ${label}: ${message}`,
  );
}

/**
 * Runs the plan of one method.
 *
 * @returns Its own results: those of the suite's controls, which stand beside it, are left out.
 * @throws UserError where any step failed.
 */
export async function runMethod({ name, made, registry, store, out, executor, ...run }: MethodRun): Promise<Result[]> {
  const { plan, places, provenance } = made;
  if (fitsOf(plan, name).length === 0) {
    const reasons = plan.skipped.map(({ reason }) => reason).join('; ');
    throw new UserError(
      `submit ${name}: expected a place of the suite ${plan.suite.id} for it; found none${reasons ? `: ${reasons}` : ''}.`,
    );
  }
  const { showProgress, force, signal, say } = run;
  const summary = await executePlan(
    plan,
    { registry, store, places, out, provenance, signal, say },
    { showProgress, executor, ...(force ? { force } : {}) },
  );
  refuseFailures(summary, name);
  return summary.results.filter(({ method }) => method.name === name);
}

/** Removes what a plan's evaluations gave, and where asked what was fitted, so that it is made again. */
export const dropAgain = (plan: Plan, store: Store, fits: boolean, signal: AbortSignal): Promise<void> =>
  store.drop(
    planSteps(plan).filter(({ kind }) => kind === 'evaluate' || (fits && kind === 'fit')),
    signal,
  );
