/** @file `--full`: the whole protocol of a suite that is a part of it. */
import { UserError } from '../errors.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { methodName } from './load.ts';

/**
 * The suite as its `full` makes it: pure, the suite given is not changed.
 *
 * @throws UserError of a suite that has none: it is whole as it is.
 */
export function fullSuite(suite: Suite): Suite {
  const { full, ...rest } = suite;
  if (!full) {
    throw new UserError(`--full: expected a suite with 'full'; ${suite.id} has none: it is whole as it is.`);
  }
  const { seeds, methods, tasks } = full;
  const withOptions = <T extends { id: string; options?: Record<string, unknown> }>(
    entries: T[],
    own: Record<string, Record<string, unknown>> = {},
  ): T[] => entries.map((each) => (own[each.id] ? { ...each, options: { ...each.options, ...own[each.id] } } : each));
  return {
    ...rest,
    title: `${suite.title} (full)`,
    methods: withOptions(rest.methods, methods),
    tasks: withOptions(rest.tasks, tasks),
    ...(seeds ? { seeds } : {}),
  };
}

/** The suite with the methods that `before` lacks scored by all tasks, those too that name their methods: who adds one wants it scored. */
export function scoredToo(suite: Suite, before: Suite): Suite {
  const known = new Set(before.methods.map(methodName));
  const added = suite.methods.map(methodName).filter((name) => !known.has(name));
  if (added.length === 0) return suite;
  return {
    ...suite,
    tasks: suite.tasks.map((task) => (task.methods ? { ...task, methods: [...task.methods, ...added] } : task)),
  };
}
