/** @file The difference of two runs in each metric of each row, with its interval and how it was had. */
import { canonicalJson } from '../../harness/io/json.ts';
import type { ResultMetricDefinition } from '../../harness/schema/metric-definition.generated.ts';
import type { Result, ResultMetric, ResultRowRecord } from '../../harness/schema/result.generated.ts';
import { buildTables, combineSeeds } from '../aggregate.ts';
import { sampledOf } from '../ranks.ts';
import type { Cell } from '../table.ts';
import type { Match } from './match.ts';
import { betweenSamples, type SampleDifference, type SeedValue } from './samples.ts';

/** Where a number stands: one line of a comparison. */
export interface Place {
  subject: string;
  site: string;
  task: string;
  method: string;
  axes: Record<string, string>;
  metric: string;
}

export interface MetricDifference extends Place, SampleDifference {
  definition: ResultMetricDefinition;
  /** The metric that the task ranks by. */
  main: boolean;
  /** In the row of its method that is ranked. */
  headline: boolean;
  /** A null row, or what a method is compared with. */
  control: boolean;
  /** Absent: no result has such a row. */
  before?: Cell;
  after?: Cell;
  /** Measured on two machines: not compared. */
  elsewhere: boolean;
  /** Of the seeds that have a value before: those that ran, and have none now. */
  lost: number[];
  /** Why the two are not compared. */
  aside?: string;
  /** Why the value is missing, where one is. */
  reason?: string;
}

interface SeedRow {
  seed: number;
  row: ResultRowRecord;
}

const rowKey = ({ subject, site, task, method }: Result, axes: Record<string, string>): string =>
  canonicalJson([subject.id, site.name, task.id, method.name, axes]);

/** The rows that the tables of a run rank or stand for. */
function headlinesOf(results: readonly Result[]): Set<string> {
  return new Set(
    buildTables(results).flatMap(({ subject, site, task, rows }) =>
      rows
        .filter(({ detail }) => !detail)
        .map(({ method, axes }) => canonicalJson([subject.id, site.name, task.id, method.name, axes])),
    ),
  );
}

function machineOf({ provenance: { cpu, cores, backend } }: Result): string {
  return canonicalJson([cpu, cores, backend.name, backend.device]);
}

/** Rows by their axes, in the order in which they first come up. */
function byAxes(results: readonly Result[]): Map<string, SeedRow[]> {
  const found = new Map<string, SeedRow[]>();
  for (const { seed, rows } of results) {
    for (const row of rows) {
      const key = canonicalJson(row.axes);
      found.set(key, [...(found.get(key) ?? []), { seed, row }]);
    }
  }
  return found;
}

const metricsOf = (rows: readonly SeedRow[], metric: string): ResultMetric[] =>
  rows.flatMap(({ row }) => (row.metrics[metric] ? [row.metrics[metric]] : []));

/** Each seed's value, with its units where they are of this metric. */
function valuesOf(rows: readonly SeedRow[], metric: string, main: boolean): SeedValue[] {
  return rows.flatMap(({ seed, row }) => {
    const { samples: _, ...bare } = row;
    const sampled = sampledOf(seed, main ? row : bare, metric);
    return sampled ? [{ ...sampled, measured: row.metrics[metric]!, unit: row.samples?.unit }] : [];
  });
}

/** All lines of one method on one task: union of both sides' rows and metrics. */
function ofMatch({ before, after }: Match, headlines: readonly Set<string>[]): MetricDifference[] {
  const result = (after[0] ?? before[0])!;
  const definitions: Result['task']['metrics'] = Object.assign(
    {},
    ...[...before, ...after].map(({ task }) => task.metrics),
  );
  const [old, now] = [byAxes(before), byAxes(after)];
  const elsewhere = new Set([...before, ...after].map(machineOf)).size > 1;
  const failure = after.find(({ failed }) => failed !== undefined)?.failed;
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key) => {
    const [then, next] = [old.get(key) ?? [], now.get(key) ?? []];
    const { axes, control } = (next[0] ?? then[0])!.row;
    const place = rowKey(result, axes);
    const headline = headlines.some((keys) => keys.has(place));
    const names = [...new Set([...then, ...next].flatMap(({ row }) => Object.keys(row.metrics)))];
    return names.map((metric): MetricDifference => {
      const definition = definitions[metric]!;
      const main = definition.main === true;
      const [a, b] = [valuesOf(then, metric, main), valuesOf(next, metric, main)];
      const cellOf = (rows: readonly SeedRow[]) => {
        const found = metricsOf(rows, metric);
        return found.length > 0 ? combineSeeds(found, definition) : undefined;
      };
      const [cellBefore, cellAfter] = [cellOf(then), cellOf(next)];
      const ranAfter = after.map(({ seed }) => seed);
      const lost = a
        .map(({ seed }) => seed)
        .filter((seed) => ranAfter.includes(seed) && !b.some((each) => each.seed === seed));
      const reason =
        lost.length > 0 || b.length === 0 ? (failure ?? cellAfter?.reason ?? missingReason(next, metric)) : undefined;
      const apart = definition.measured === true && elsewhere;
      return {
        ...{ subject: result.subject.id, site: result.site.name, task: result.task.id, method: result.method.name },
        ...{ axes, metric, definition, main, headline, lost, elsewhere: apart },
        control: control === true || result.method.control,
        ...(cellBefore ? { before: cellBefore } : {}),
        ...(cellAfter ? { after: cellAfter } : {}),
        ...betweenSamples(a, b, definition),
        ...(reason === undefined ? {} : { reason }),
      };
    });
  });
}

const missingReason = (rows: readonly SeedRow[], metric: string): string | undefined =>
  rows.map(({ row }) => row.metrics[metric]?.reason).find((reason) => reason !== undefined);

/** Lines of all that two runs have in common, and of what only one of them has. */
export function differencesOf(matches: readonly Match[]): MetricDifference[] {
  const headlines = [matches.flatMap(({ before }) => before), matches.flatMap(({ after }) => after)].map(headlinesOf);
  return matches.flatMap((match) => ofMatch(match, headlines));
}
