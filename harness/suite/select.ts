/** @file `--only`: a suite's methods, tasks, subjects, sites and seeds narrowed by name. */
import { UserError, unknownName } from '../errors.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { methodName, subjectName } from './load.ts';

const AXES = ['methods', 'tasks', 'subjects', 'sites', 'seeds'] as const;
type Axis = (typeof AXES)[number];

/** All names that each axis of a suite has. */
function namesOf(suite: Suite): Record<Axis, string[]> {
  return {
    methods: [...new Set(suite.methods.flatMap((method) => [methodName(method), method.id]))],
    tasks: suite.tasks.map(({ id }) => id),
    subjects: suite.subjects.map(subjectName),
    sites: [...new Set(suite.subjects.flatMap(({ sites }) => sites))],
    seeds: (suite.seeds ?? [0]).map(String),
  };
}

/**
 * The suite with what the filters name: `methods=topk,pca`, `tasks=steering`, or bare names of methods or tasks.
 * Filters of one axis add up; axes that no filter names stay whole.
 *
 * @throws UserError for an unknown axis or name, with suggestions.
 */
export function selectFromSuite(suite: Suite, filters: readonly string[]): Suite {
  const known = namesOf(suite);
  const wanted = new Map<Axis, Set<string>>();
  for (const filter of filters) {
    const [axes, names] = parse(filter);
    for (const name of names) {
      const axis = axes.find((candidate) => known[candidate].includes(name));
      if (axis === undefined) {
        throw unknownName(
          axes.map((axis) => axis.slice(0, -1)).join(' or '),
          name,
          axes.flatMap((axis) => known[axis]),
        );
      }
      wanted.set(axis, (wanted.get(axis) ?? new Set()).add(name));
    }
  }
  const keep = (axis: Axis, ...names: string[]) =>
    !wanted.has(axis) || names.some((name) => wanted.get(axis)!.has(name));
  const subjects = suite.subjects
    .filter((subject) => keep('subjects', subjectName(subject)))
    .map((subject) => ({ ...subject, sites: subject.sites.filter((site) => keep('sites', site)) }))
    .filter(({ sites }) => sites.length > 0);
  if (subjects.length === 0) throw new UserError('--only: none of the chosen subjects has any of the chosen sites.');
  return {
    ...suite,
    subjects,
    methods: suite.methods.filter((method) => keep('methods', methodName(method), method.id)),
    tasks: suite.tasks.filter(({ id }) => keep('tasks', id)),
    seeds: (suite.seeds ?? [0]).filter((seed) => keep('seeds', String(seed))),
  };
}

function parse(filter: string): [readonly Axis[], string[]] {
  const cut = filter.indexOf('=');
  const names = (cut < 0 ? filter : filter.slice(cut + 1)).split(',').filter((name) => name !== '');
  if (names.length === 0)
    throw new UserError(`--only ${filter}: expected names after it, as in --only methods=topk,pca.`);
  if (cut < 0) return [['methods', 'tasks'], names];
  const name = filter.slice(0, cut);
  const axis = AXES.find((candidate) => candidate === name || candidate === `${name}s`);
  if (axis === undefined) throw unknownName('axis of --only', name, AXES);
  return [[axis], names];
}
