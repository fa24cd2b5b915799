/** @file `--judge` and `--judge-model`: who rates, set from a command line. */
import { UserError } from '../errors.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { type NamedJudges, namedJudges, optionsNaming } from './named-judges.ts';

type SuiteTask = Suite['tasks'][number];

/** The suite with the judges of each judged task as `change` gives them, as it is where it gives the same; undefined where no task is judged. */
export async function withJudges(
  suite: Suite,
  registry: Registry,
  change: (judges: NamedJudges) => NamedJudges | Promise<NamedJudges>,
): Promise<Suite | undefined> {
  let judged = false;
  const tasks: SuiteTask[] = [];
  for (const task of suite.tasks) {
    const { measure, options: schema } = await registry.get('task', task.id);
    if (measure !== 'judged') {
      tasks.push(task);
      continue;
    }
    judged = true;
    const named = namedJudges(task.options, schema['judge']?.default);
    const changed = await change(named);
    tasks.push(changed === named ? task : { ...task, options: { ...task.options, ...optionsNaming(changed) } });
  }
  return judged ? { ...suite, tasks } : undefined;
}

function noJudged({ tasks }: Suite, flag: string): UserError {
  const names = tasks.map(({ id }) => id).join(', ');
  return new UserError(`${flag}: expected a task that is judged, such as steering; found ${names}.`);
}

/**
 * The suite with `--judge`: the judges of every judged task, in place of the suite's, whose options stay with those that
 * stay.
 *
 * @param judge `openai`, or `dataset,openai`, of which the first ranks.
 * @throws UserError for an empty or a repeated id, or where no task is judged.
 */
export async function setJudge(suite: Suite, judge: string | undefined, registry: Registry): Promise<Suite> {
  if (judge === undefined) return suite;
  const ids = judge.split(',').map((id) => id.trim());
  if (ids.includes('') || new Set(ids).size < ids.length) {
    throw new UserError(`--judge ${judge}: expected ids of judges with commas between them, each once.`);
  }
  const changed = await withJudges(suite, registry, ({ options }) => ({
    ids,
    options: Object.fromEntries(ids.flatMap((id) => (options[id] ? [[id, options[id]]] : []))),
  }));
  if (!changed) throw noJudged(suite, `--judge ${judge}`);
  return changed;
}

/**
 * The suite with `--judge-model`: the option `model` of every judge that asks one.
 *
 * @throws UserError where none does.
 */
export async function setJudgeModel(suite: Suite, model: string | undefined, registry: Registry): Promise<Suite> {
  if (model === undefined) return suite;
  let asked = false;
  const changed = await withJudges(suite, registry, async ({ ids, options }) => {
    const set = { ...options };
    for (const id of ids) {
      if (!(await registry.get('judge', id)).asks) continue;
      asked = true;
      set[id] = { ...set[id], model };
    }
    return { ids, options: set };
  });
  if (!changed) throw noJudged(suite, `--judge-model ${model}`);
  if (!asked)
    throw new UserError(`--judge-model ${model}: expected a judge that asks a model: --judge openai; found none.`);
  return changed;
}
