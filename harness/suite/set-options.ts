/** @file `--option method.key=value`: an option of a suite's method or task, or of a method's training, set from a command line. */
import { UserError, unknownName } from '../errors.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { TRAINING_OPTIONS } from '../train/options.ts';
import { methodName } from './load.ts';
import { parsedValue } from './option-text.ts';

/**
 * The suite with options set, of the methods of that name or id, else of the task of that id; the plug-in's own schema
 * checks them when the suite is resolved.
 *
 * @param given Each `method.key=value`, as in `topk.k=32`.
 * @throws UserError for another form, a method or task that the suite does not have, an option that comes twice, or one
 *   that a method is named after, as those of a grid are: it would stand under a name that is not true.
 */
export function setOptions(suite: Suite, given: readonly string[]): Suite {
  let { methods, tasks } = suite;
  const names = [...new Set(methods.flatMap((each) => [methodName(each), each.id]))];
  const met = new Set<string>();
  for (const text of given) {
    const [, method, key, value] = /^(.+)\.([^.=]+)=(.*)$/s.exec(text) ?? [];
    if (method === undefined || key === undefined || value === undefined) {
      throw new UserError(`--option ${text}: expected METHOD.NAME=VALUE, as in --option topk.k=32.`);
    }
    const task = !names.includes(method) && tasks.some(({ id }) => id === method);
    const known = [...names, ...tasks.map(({ id }) => id)];
    if (!known.includes(method)) throw unknownName('method or task of --option', method, known);
    const name = `${method}.${key}`;
    if (met.has(name)) throw new UserError(`--option ${text}: '${name}' is given twice; keep one.`);
    met.add(name);
    if (task) {
      const set = { [key]: parsedValue(value) };
      tasks = tasks.map((each) => (each.id === method ? { ...each, options: { ...each.options, ...set } } : each));
      continue;
    }
    const part = TRAINING_OPTIONS.includes(key) ? 'training' : 'options';
    methods = methods.map((each) => {
      if (methodName(each) !== method && each.id !== method) return each;
      const own: Record<string, unknown> = { ...each[part] };
      if (`-${each.name}-`.includes(`-${key}-${own[key]}-`)) {
        throw new UserError(
          `--option ${text}: '${each.name}' is named after its ${key}: choose among such methods with --only, or write a suite with other values.`,
        );
      }
      return { ...each, [part]: { ...own, [key]: parsedValue(value) } };
    });
  }
  return { ...suite, methods, tasks };
}
