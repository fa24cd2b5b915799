/** @file `--judge` and `--judge-model`: who rates, set from a command line. */
import { UserError } from '../errors.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';

type SuiteTask = Suite['tasks'][number];
type Options = Record<string, unknown>;

/** The judges of a task with the options of each. */
interface JudgesOfTask {
  ids: string[];
  options: Record<string, Options>;
}

/** The suite with the judges of each judged task as `change` gives them; undefined where no task is judged. */
async function withJudges(
  suite: Suite,
  registry: Registry,
  change: (judges: JudgesOfTask) => JudgesOfTask | Promise<JudgesOfTask>,
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
    const judge = task.options?.['judge'] ?? schema['judge']?.default;
    const given = (task.options?.['judgeOptions'] ?? {}) as Options;
    const names = Array.isArray(judge) ? judge.map(String) : [String(judge)];
    // Of one judge they are its own, of several by their ids.
    const own = names.length > 1 ? (given as Record<string, Options>) : { [names[0]!]: given };
    const { ids, options } = await change({ ids: names, options: own });
    const several = ids.length > 1;
    const set = { judge: several ? ids : ids[0]!, judgeOptions: several ? options : (options[ids[0]!] ?? {}) };
    tasks.push({ ...task, options: { ...task.options, ...set } });
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
