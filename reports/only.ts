/** @file `report --only`: results narrowed by name. */
import { UserError, unknownName } from '../harness/errors.ts';
import type { Result } from '../harness/schema/result.generated.ts';

const AXES: Readonly<Record<string, (result: Result) => string[]>> = {
  methods: ({ method }) => [method.name, method.id],
  tasks: ({ task }) => [task.id],
  subjects: ({ subject }) => [subject.id],
  sites: ({ site }) => [site.name],
  seeds: ({ seed }) => [String(seed)],
};

/**
 * The results that filters name, as `run --only` has them: `methods=topk,pca`, `tasks=steering`. Filters of one axis add up;
 * axes that no filter names stay whole.
 *
 * @throws UserError for an unknown axis or name, with suggestions.
 */
export function onlyResults(results: readonly Result[], filters: readonly string[]): Result[] {
  const wanted = new Map<string, Set<string>>();
  for (const filter of filters) {
    const at = filter.indexOf('=');
    const axis = filter.slice(0, Math.max(at, 0));
    if (!Object.hasOwn(AXES, axis)) {
      throw new UserError(`--only: expected ${Object.keys(AXES).join('=…, ')}=…; found '${filter}'.`);
    }
    const known = [...new Set(results.flatMap(AXES[axis]!))];
    for (const name of filter.slice(at + 1).split(',')) {
      if (!known.includes(name)) throw unknownName(axis.slice(0, -1), name, known);
      wanted.set(axis, (wanted.get(axis) ?? new Set()).add(name));
    }
  }
  const kept = results.filter((result) =>
    [...wanted].every(([axis, names]) => AXES[axis]!(result).some((name) => names.has(name))),
  );
  if (kept.length === 0) throw new UserError(`--only: no result has all of ${filters.join(' ')}.`);
  return kept;
}
