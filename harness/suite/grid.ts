/** @file Grids of a suite: one method at every combination of some options, as so many methods. */
import { shown, UserError } from '../errors.ts';
import type { Suite, SuiteMethod } from '../schema/suite.generated.ts';
import { TRAINING_OPTIONS } from '../train/options.ts';

/** Beyond this many methods a grid is a mistake in writing. */
const MOST = 1000;

/** Letters of a name, as the schema of results allows. */
const LONGEST = 80;

/** Letters that a name may not have are left out; no two values of one option may have one text. */
function wordOf(value: unknown, where: string): string {
  const text = String(value);
  if (/^[A-Za-z0-9]+([-_.][A-Za-z0-9]+)*$/.test(text)) return text;
  throw new UserError(
    `${where}: expected numbers without sign, words or booleans, which can be part of a name; found ${shown(value)}.`,
  );
}

/** All combinations, the last option changing fastest. */
function combinationsOf(grid: Record<string, unknown[]>): [name: string, value: unknown][][] {
  return Object.entries(grid).reduce<[string, unknown][][]>(
    (all, [name, values]) =>
      all.flatMap((point) => values.map((value): [string, unknown][] => [...point, [name, value]])),
    [[]],
  );
}

function expand({ grid, ...method }: SuiteMethod, where: string, limits: Suite['limits']): SuiteMethod[] {
  if (grid === undefined) return [method];
  const name = method.name ?? method.id;
  const place = `${where}: method ${name}: grid`;
  const size = Object.values(grid).reduce((product, values) => product * values.length, 1);
  if (size > MOST)
    throw new UserError(`${place}: expected at most ${MOST} combinations, found ${size}; leave some values out.`);
  for (const option of Object.keys(grid)) {
    const part = TRAINING_OPTIONS.includes(option) ? 'training' : 'options';
    if (method[part] && option in method[part]) {
      throw new UserError(`${place}: ${option}: is also one of '${part}'; keep one of them.`);
    }
    if (option in (limits?.methods?.[method.id] ?? {})) {
      throw new UserError(
        `${place}: ${option}: is also one of 'limits.methods.${method.id}', which would make all values one; keep one of them.`,
      );
    }
  }
  return combinationsOf(grid).map((point) => {
    const of = (training: boolean) =>
      Object.fromEntries(point.filter(([option]) => TRAINING_OPTIONS.includes(option) === training));
    const [options, training] = [
      { ...method.options, ...of(false) },
      { ...method.training, ...of(true) },
    ];
    const words = point.flatMap(([option, value]) => [option, wordOf(value, `${place}: ${option}`)]);
    const full = [name, ...words].join('-');
    if (full.length > LONGEST)
      throw new UserError(
        `${place}: expected names of at most ${LONGEST} letters; found '${full}': give it a short 'name'.`,
      );
    return {
      ...method,
      name: full,
      ...(Object.keys(options).length > 0 ? { options } : {}),
      ...(Object.keys(training).length > 0 ? { training } : {}),
    };
  });
}

/**
 * The suite with a method for every combination of a grid's values, named after them: `topk` with
 * `{ d_sae: [256, 512], k: [8, 16] }` becomes `topk-d_sae-256-k-8` and three more. Methods without a grid stay.
 *
 * @throws UserError for an option that stands in the grid and beside it or in the suite's limits, values that cannot be
 *   part of a name, too many.
 */
export function expandGrids(suite: Suite, where: string): Suite {
  return { ...suite, methods: suite.methods.flatMap((method) => expand(method, where, suite.limits)) };
}
