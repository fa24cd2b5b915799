/** @file Results whose metrics are defined otherwise than those of the others in their table: nothing to compare with. */
import { mainMetric } from '../harness/results.ts';
import type { ResultMetricDefinition } from '../harness/schema/metric-definition.generated.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { byTable } from './group-by.ts';

/** What of a definition decides whether numbers can be compared. */
export const DEFINITION_FIELDS = ['unit', 'direction', 'range', 'version', 'counted'] as const;

const said = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));

const differs = (a: unknown, b: unknown) => said(a) !== said(b);

/** The first way in which definitions of one table differ, in words; metrics that only one of them has are well. */
export function firstDifference(own: Result['task'], of: Result['task']): string | undefined {
  for (const [name, definition] of Object.entries(own.metrics)) {
    const other: ResultMetricDefinition | undefined = of.metrics[name];
    const field = other && DEFINITION_FIELDS.find((each) => differs(definition[each], other[each]));
    if (field) return `metric '${name}': ${field} ${said(definition[field])}, there ${said(other[field])}`;
  }
  const [main, otherMain] = [mainMetric(own.metrics), mainMetric(of.metrics)];
  return main === otherMain ? undefined : `main metric ${said(main)}, there ${said(otherMain)}`;
}

/**
 * The definitions that a table goes by: of the newest version of its task, those of most results.
 *
 * @param definitionsOf What is compared.
 */
function standardOf(
  group: readonly Result[],
  definitionsOf: (task: Result['task']) => unknown = ({ metrics }) => metrics,
): Result['task'] {
  const newest = Math.max(...group.map(({ task }) => task.version));
  const counts = new Map<string, { task: Result['task']; count: number }>();
  for (const { task } of group.filter((each) => each.task.version === newest)) {
    const key = JSON.stringify(definitionsOf(task));
    counts.set(key, { task, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].reduce((most, each) => (each.count > most.count ? each : most)).task;
}

/** The task of a table, with what it shows, as the newest version and most results have it; undefined of no results. */
export const taskOf = (results: readonly Result[]): Result['task'] | undefined =>
  results.length > 0 ? standardOf(results, ({ metrics, shows }) => [metrics, shows]) : undefined;

/** Results that cannot stand in one table with the others, each with how its task defines a metric otherwise. */
export function definedOtherwise(results: readonly Result[]): Map<Result, string> {
  const found = new Map<Result, string>();
  for (const group of byTable(results)) {
    const standard = standardOf(group);
    for (const result of group) {
      const difference = firstDifference(result.task, standard);
      if (difference === undefined) continue;
      const { subject, method, task, seed } = result;
      found.set(
        result,
        `result ${subject.id} ${method.name} ${task.id} seed ${seed}: defines its numbers otherwise than the other results ` +
          `of ${standard.id}, version ${standard.version}: ${difference}. Make it anew: saxbench run with the same --out.`,
      );
    }
  }
  return found;
}
