/** @file `--option method.key=value`: one option of a suite's method, or of its training, set from a command line. */
import { UserError, unknownName } from '../errors.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { TRAINING_OPTIONS } from '../train/options.ts';
import { methodName } from './load.ts';
import { parsedValue } from './option-text.ts';

/**
 * The suite with options set, of the methods of that name or id; the plug-in's own schema checks them when the suite is resolved.
 *
 * @param given Each `method.key=value`, as in `topk.k=32`.
 * @throws UserError for another form, a method that the suite does not have, or an option that comes twice.
 */
export function setOptions(suite: Suite, given: readonly string[]): Suite {
  let methods = suite.methods;
  const names = [...new Set(methods.flatMap((each) => [methodName(each), each.id]))];
  const met = new Set<string>();
  for (const text of given) {
    const [, method, key, value] = /^(.+)\.([^.=]+)=(.*)$/s.exec(text) ?? [];
    if (method === undefined || key === undefined || value === undefined) {
      throw new UserError(`--option ${text}: expected METHOD.NAME=VALUE, as in --option topk.k=32.`);
    }
    if (!names.includes(method)) throw unknownName('method of --option', method, names);
    const name = `${method}.${key}`;
    if (met.has(name)) throw new UserError(`--option ${text}: '${name}' is given twice; keep one.`);
    met.add(name);
    const part = TRAINING_OPTIONS.includes(key) ? 'training' : 'options';
    methods = methods.map((each) => {
      if (methodName(each) !== method && each.id !== method) return each;
      return { ...each, [part]: { ...each[part], [key]: parsedValue(value) } };
    });
  }
  return { ...suite, methods };
}
