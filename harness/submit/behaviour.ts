/**
 * @file What is found out of a method before the whole suite runs, on a small part of it: that it keeps its contract, gives no
 * NaN, is the same when it is fitted again, and is wholly in what is saved of it.
 */
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { inProcess } from '../execute/executor.ts';
import type { PreparedRun } from '../execute/run.ts';
import { threads } from '../execute/threads.ts';
import { canonicalJson } from '../io/json.ts';
import { OWN_THREADS } from '../num/backends/names.ts';
import type { Registry } from '../registry.ts';
import { countedRows } from '../results.ts';
import type { Result } from '../schema/result.generated.ts';
import { openStore } from '../store.ts';
import { dropAgain, runMethod, weightsOf } from './run-method.ts';

/** Items of the small part: enough for every task to say something, in seconds. */
export const SMALL_ITEMS = 8;

const nameOf = ({ subject, site, task, seed }: Result): string => `${subject.id} ${site.name} ${task.id} seed ${seed}`;

/** The first result that differs between two runs, and its first metric that does. */
function difference(before: readonly Result[], after: readonly Result[]): string | undefined {
  for (const [i, result] of before.entries()) {
    const [old, now] = [result, after[i]!].map((each) => countedRows(each));
    if (canonicalJson(old) === canonicalJson(now)) continue;
    for (const [j, row] of old!.entries()) {
      const changed = Object.keys(row.metrics).find(
        (name) => row.metrics[name]!.value !== now![j]?.metrics[name]?.value,
      );
      if (changed === undefined) continue;
      const values = [row, now![j]].map((each) => each?.metrics[changed]?.value ?? 'none');
      return `${nameOf(result)}: ${changed} ${values.join(', then ')}`;
    }
    return nameOf(result);
  }
  return undefined;
}

export interface BehaviourRun {
  name: string;
  /** Of the suite at `--limit` {@link SMALL_ITEMS}. */
  made: PreparedRun;
  registry: Registry;
  /** Files of plug-ins that threads load. */
  plugins: string[];
  /** A folder for what the check computes; empty, and the caller's to remove. */
  folder: string;
  signal: AbortSignal;
  say(line: string): void;
}

/**
 * Runs the small part three times: as it is; fitted and scored again; scored again by a thread that loads the plug-in anew and has nothing
 * of it but what was saved.
 *
 * @returns What was found well, in words.
 * @throws UserError for what is not.
 */
export async function checkBehaviour({
  name,
  made,
  registry,
  plugins,
  folder,
  signal,
  say,
}: BehaviourRun): Promise<string[]> {
  const { plan, backend } = made;
  const store = openStore(join(folder, 'store'), say);
  // What no plug-in takes part in is read from its files each time.
  const apart =
    plugins.length === 0 || OWN_THREADS.includes(backend.name)
      ? inProcess
      : threads({ threads: 1, backend: backend.name, plugins, apart: true });
  const common = { name, made, registry, store, showProgress: false, signal, say };
  const first = await runMethod({ ...common, out: join(folder, 'first'), executor: inProcess });
  const weights = await weightsOf(plan, name, store);
  await dropAgain(plan, store, true, signal);
  const again = await runMethod({ ...common, out: join(folder, 'again'), executor: inProcess });
  const moved = difference(first, again);
  const same = canonicalJson(weights) === canonicalJson(await weightsOf(plan, name, store));
  if (moved !== undefined || !same) {
    throw new UserError(
      `submit ${name}: determinism: expected the same numbers of the same seed; found ${moved ?? 'other weights'}: draw from the rng that it is given, ` +
        'never from Math.random, and read no clock.',
    );
  }
  await dropAgain(plan, store, false, signal);
  const reloaded = await runMethod({ ...common, out: join(folder, 'reloaded'), executor: apart });
  const lost = difference(first, reloaded);
  if (lost !== undefined) {
    throw new UserError(
      `submit ${name}: save and load: expected the scores of what was fitted from what was saved of it; found ${lost}: ` +
        'all that encode and decode use must be in the params or in the state.',
    );
  }
  return [
    'contract: what it returns has the shapes that it must, and no NaN',
    'determinism: fitted and scored again, the same weights and scores, bit for bit',
    'save and load: scores of the saved method are those of the fitted one, bit for bit',
  ];
}
