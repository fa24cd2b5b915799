/**
 * @file The mean rank of each SAE over subjects. Within a subject: its place among the SAEs of its band, from 0 (first) to
 * 1 (last) so that fields of different numbers can be averaged, by the main metric of each task that rates methods; the
 * mean over tasks, then over sites. Subjects are the units of the interval: tasks, sites and seeds of one subject say
 * nothing of the next, and what they vary by is in the spread between subjects.
 */
import { meanInterval } from '../../harness/num/stats/interval.ts';
import { mean } from '../../harness/num/stats/law-form.ts';
import { FEW } from '../aggregate.ts';
import { groupBy } from '../group-by.ts';
import type { Table } from '../table.ts';
import { headlines, isRating, mainOf, saeBands, signOf } from './bands.ts';
import { isModel, type Place } from './places.ts';

export interface MeanRank {
  /** 0: first everywhere; 1: last everywhere. */
  value: number;
  /** Over subjects; null of one. */
  ci95: [number, number] | null;
  /** Number of subjects. */
  n: number;
  few?: boolean;
}

/** Fewer are no field to have a rank in. */
const LEAST_FIELD = 3;

/** Of the values, in their order: 0 of the best, 1 of the worst, equal ones alike. */
function fractions(values: readonly number[], sign: 1 | -1): number[] {
  return values.map((value) => {
    const better = values.filter((other) => sign * (other - value) > 0).length;
    const equal = values.filter((other) => other === value).length - 1;
    return (better + equal / 2) / (values.length - 1);
  });
}

function fractionsIn(table: Table, methods: readonly string[]): Map<string, number> | undefined {
  const values = headlines(table).flatMap((row): [string, number][] => {
    const value = mainOf(table, row);
    return value === null || !methods.includes(row.method.name) ? [] : [[row.method.name, value]];
  });
  if (values.length < LEAST_FIELD) return undefined;
  const found = fractions(
    values.map(([, value]) => value),
    signOf(table),
  );
  return new Map(values.map(([name], i) => [name, found[i]!]));
}

/** The mean over tasks of each SAE that stands in all that rate the SAEs of its band. */
export function ranksAt({ tables }: Place): Map<string, number> {
  const rating = tables.filter(isRating);
  return new Map(
    saeBands(tables).flatMap(({ methods }) => {
      const byTask = rating.flatMap((table) => fractionsIn(table, methods) ?? []);
      if (byTask.length === 0) return [];
      return methods
        .filter((name) => byTask.every((found) => found.has(name)))
        .map((name): [string, number] => [name, mean(byTask.map((found) => found.get(name)!))]);
    }),
  );
}

/** The mean rank of each SAE, by name. Controls (random weights, planted directions) and worlds do not count. */
export function meanRanks(places: readonly Place[]): Map<string, MeanRank> {
  const bySubject = groupBy(
    places.filter(({ subject }) => isModel(subject)),
    ({ subject }) => subject.id,
  ).map((own) => own.map(ranksAt));
  const names = new Set(bySubject.flatMap((sites) => sites.flatMap((ranks) => [...ranks.keys()])));
  return new Map(
    [...names].map((name) => {
      const values = bySubject.flatMap((sites) => {
        const own = sites.flatMap((ranks) => ranks.get(name) ?? []);
        return own.length > 0 ? [mean(own)] : [];
      });
      const { value, ci, n } = meanInterval(values, [0, 1])!;
      return [name, { value, ci95: ci, n, ...(ci && n < FEW ? { few: true } : {}) }];
    }),
  );
}
