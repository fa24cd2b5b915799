/** @file Lists in groups: of results, those that make one table; of one place. */
import type { Result } from '../harness/schema/result.generated.ts';

/** The items in groups of one key, in the order in which keys first come up. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const own = key(item);
    const group = groups.get(own);
    if (group) group.push(item);
    else groups.set(own, [item]);
  }
  return [...groups.values()];
}

/** Results by what makes a table: one subject, one site, one task. */
export function byTable(results: readonly Result[]): Result[][] {
  return groupBy(results, ({ subject, site, task }) => JSON.stringify([subject.id, site.name, task.id]));
}

/** Results or tables by their place: one subject, one site. */
export function byPlace<T extends Pick<Result, 'subject' | 'site'>>(items: readonly T[]): T[][] {
  return groupBy(items, ({ subject, site }) => JSON.stringify([subject.id, site.name]));
}
