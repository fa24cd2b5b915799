/** @file Runs a plan: resumes from results and store, keeps going past a failure, stops in order when aborted. */
import { UserError } from './errors.ts';
import { type Aside, type AsideSummary, cellsAside } from './execute/aside.ts';
import { type CellEnvironment, openCell } from './execute/cell.ts';
import { checkMethod } from './execute/check-method.ts';
import { resultOf } from './execute/evaluate.ts';
import { openSession, type Session } from './execute/session.ts';
import { stepRunner } from './execute/steps.ts';
import { type Cell, type Evaluation, type Fit, type Plan, planSteps, type StepKind } from './plan.ts';
import { pluginFault } from './plugin-fault.ts';
import { createProgress, type Progress } from './progress.ts';
import type { RunProvenance } from './provenance.ts';
import type { Registry } from './registry.ts';
import { storedResult, writeResult } from './results.ts';
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
  /** Where steps report to; by default bars or lines of this process. */
  progress?: Progress;
  /** Takes some of the subjects, to run beside the others. */
  aside?: Aside;
  say(line: string): void;
}

/** A step that failed, with everything that therefore has no result. */
export interface Failure {
  label: string;
  error: unknown;
}

export interface RunSummary {
  /** In the order of the plan. */
  results: Result[];
  /** Results that were there before. */
  present: number;
  /** Steps computed by this run, by kind. */
  computed: Record<StepKind, number>;
  failures: Failure[];
}

/**
 * Runs what of the plan is missing. A method or task that throws loses its own results only.
 *
 * @throws UserError before anything is computed for an unknown site or impossible sizes; when the disk is full or the
 * store unwritable. The signal's reason when aborted: what was done is in the store.
 */
export async function executePlan(plan: Plan, env: ExecuteEnvironment): Promise<RunSummary> {
  const { store, out, registry, signal } = env;
  const checkDisks = async () => {
    await store.checkWritable();
    await checkWritable(out);
  };
  await checkDisks();
  const results = new Map<string, Result>();
  const place = (cell: Cell, fit: Fit, { task, seed }: Evaluation) => ({
    subject: cell.subject.id,
    site: cell.site,
    method: fit.method.name,
    task: task.id,
    seed,
  });
  const nameOf = (cell: Cell, fit: Fit, evaluation: Evaluation) =>
    Object.values(place(cell, fit, evaluation)).join(' ');

  /** Takes a result that is there: as a file, or in the store from another run. */
  async function settle(cell: Cell, fit: Fit, evaluation: Evaluation): Promise<boolean> {
    const name = nameOf(cell, fit, evaluation);
    const found = await storedResult(out, place(cell, fit, evaluation), evaluation.key);
    if (found) results.set(name, found);
    return found !== undefined || keep(cell, fit, evaluation);
  }

  async function keep(cell: Cell, fit: Fit, evaluation: Evaluation): Promise<boolean> {
    const stored = await store.open('evaluate', evaluation.key);
    if (!stored) return false;
    const { axes } = await registry.get('task', evaluation.task.id);
    const result = await resultOf(plan, cell, fit, evaluation, stored, axes);
    await writeResult(out, result);
    results.set(nameOf(cell, fit, evaluation), result);
    return true;
  }

  const missing = new Map<Fit, Evaluation[]>();
  for (const cell of plan.cells) {
    for (const fit of cell.fits) {
      const left: Evaluation[] = [];
      for (const evaluation of fit.evaluations) if (!(await settle(cell, fit, evaluation))) left.push(evaluation);
      if (left.length > 0) missing.set(fit, left);
    }
  }
  const present = results.size;
  const computed: Record<StepKind, number> = { activations: 0, fit: 0, prepare: 0, evaluate: 0 };
  const failures: Failure[] = [];
  const finish = (): RunSummary => ({ results: inOrder(), present, computed, failures });
  const inOrder = () =>
    plan.cells.flatMap((cell) =>
      cell.fits.flatMap((fit) =>
        fit.evaluations.flatMap((evaluation) => results.get(nameOf(cell, fit, evaluation)) ?? []),
      ),
    );
  const cells = plan.cells.filter((cell) => cell.fits.some((fit) => missing.has(fit)));
  if (cells.length === 0) return finish();

  if (present > 0) env.say(`${present} results are there already; going on with the rest.`);
  await checkCells(cells, missing, env);
  const progress =
    env.progress ?? (await createProgress(await countSteps(plan, missing, store), { enabled: env.showProgress }));
  const step = stepRunner(store, progress, signal, (kind) => computed[kind]++);

  async function fail(label: string, thrown: unknown, task?: string): Promise<void> {
    signal.throwIfAborted();
    const error = pluginFault(thrown, task === undefined ? {} : { task: registry.fileOf('task', task) }) ?? thrown;
    const message = error instanceof Error ? error.message : String(error);
    progress.say(`${label}: failed: ${message.replace(/\s+/g, ' ')}`);
    failures.push({ label, error });
    // Without a disk to write to, every further step would fail the same way after its whole computation.
    await checkDisks();
  }

  async function runFit(cell: Cell, fit: Fit, environment: ReturnType<typeof openCell>): Promise<void> {
    const label = `${cell.subject.id} ${cell.site} ${fit.method.name} seed ${fit.seed}`;
    try {
      await environment.withMethod(fit, async (method) => {
        for (const evaluation of missing.get(fit)!) {
          try {
            await method.evaluate(evaluation);
            await keep(cell, fit, evaluation);
          } catch (error) {
            await fail(`${label} ${evaluation.task.id}`, error, evaluation.task.id);
          }
        }
      });
    } catch (error) {
      await fail(label, error);
    }
  }

  const theirs = env.aside ? cellsAside(cells, missing) : [];
  const stop = new AbortController();
  const aside =
    theirs.length === 0
      ? undefined
      : env.aside!(
          { ...plan, cells: theirs },
          { progress, signal: AbortSignal.any([signal, stop.signal]), say: env.say },
        );
  // What it says is heard below; until then its failure is not an unheard one.
  aside?.catch(() => undefined);
  let open: { id: string; session: Session } | undefined;
  try {
    for (const cell of cells) {
      if (theirs.includes(cell)) continue;
      if (open?.id !== cell.subject.id) {
        open?.session.dispose();
        open = { id: cell.subject.id, session: await openSession(cell.subject, registry) };
      }
      const others = cells.filter(({ subject }, i) => subject === cell.subject && i > cells.indexOf(cell));
      const environment: CellEnvironment = { registry, session: open.session, run: env.run, step, signal, others };
      const running = openCell(cell, environment);
      for (const fit of cell.fits) if (missing.has(fit)) await runFit(cell, fit, running);
    }
    await merge(await aside);
  } catch (error) {
    // Both sides stop in order before the run ends.
    stop.abort();
    await aside?.catch(() => undefined);
    throw error;
  } finally {
    open?.session.dispose();
    progress.stop();
  }
  return finish();

  async function merge(summary: AsideSummary | undefined): Promise<void> {
    if (!summary) return;
    for (const [kind, count] of Object.entries(summary.computed)) computed[kind as StepKind] += count;
    failures.push(...summary.failures);
    for (const cell of theirs) {
      for (const fit of cell.fits) for (const evaluation of missing.get(fit) ?? []) await settle(cell, fit, evaluation);
    }
  }
}

/** Finds the user's mistakes that only a loaded subject shows, before hours are spent on what comes first. */
async function checkCells(cells: Cell[], missing: Map<Fit, Evaluation[]>, env: ExecuteEnvironment): Promise<void> {
  for (const subject of new Set(cells.map((cell) => cell.subject))) {
    env.signal.throwIfAborted();
    const session = await openSession(subject, env.registry);
    try {
      for (const cell of cells.filter((candidate) => candidate.subject === subject)) {
        const site = session.site(cell.site);
        for (const { method } of cell.fits.filter((fit) => missing.has(fit))) {
          await checkMethod(method, subject.training, site, env.registry);
        }
      }
    } finally {
      session.dispose();
    }
  }
}

/** Steps that this run will compute. */
async function countSteps(plan: Plan, missing: Map<Fit, Evaluation[]>, store: Store): Promise<number> {
  const cells = plan.cells
    .map((cell) => {
      const fits = cell.fits
        .filter((fit) => missing.has(fit))
        .map((fit) => ({ ...fit, evaluations: missing.get(fit)! }));
      const wanted = new Set(fits.flatMap((fit) => fit.evaluations.map(({ prepare }) => prepare)));
      return { ...cell, fits, prepares: cell.prepares.filter(({ key }) => wanted.has(key)) };
    })
    .filter(({ fits }) => fits.length > 0);
  let count = 0;
  for (const { kind, key } of planSteps({ ...plan, cells })) if (!(await store.has(kind, key))) count++;
  return count;
}

/** Exit code of a run: 2 when every failure was the user's, 1 when any was not, 0 without failures. */
export function exitCodeOf(failures: readonly Failure[]): 0 | 1 | 2 {
  if (failures.length === 0) return 0;
  return failures.every(({ error }) => error instanceof UserError) ? 2 : 1;
}
