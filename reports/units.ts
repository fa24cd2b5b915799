/** @file Values by unit (concept) of the ranked rows of a table, with their intervals: where a task tells them. */
import { widenInterval } from '../harness/num/stats/interval.ts';
import { mean } from '../harness/num/stats/law-form.ts';
import type { SampledUnits, Table, TableRow } from './table.ts';

/** A unit's value by one method, over its seeds. */
export interface UnitCell {
  value: number;
  ci95: [number, number] | null;
  /** Told apart from chance in every seed. */
  apart: boolean;
}

export interface UnitTable {
  unit: string;
  rows: TableRow[];
  units: { id: string; cells: (UnitCell | undefined)[] }[];
  /** Over all units: how many are told apart above and below, by row. */
  counts: { above: number; below: number }[];
}

/**
 * The mean over seeds. All seeds meet the same items, so its interval over them is as wide as one seed's on average, and the spread of
 * seeds is added.
 */
function cellOf(sampled: readonly SampledUnits[], id: string): UnitCell | undefined {
  const seeds = sampled.filter(({ units }) => units?.has(id));
  if (seeds.length === 0) return undefined;
  const values = seeds.map(({ units }) => units!.get(id)!);
  const known = seeds.flatMap(({ intervals }) => {
    const own = intervals?.get(id);
    return own ? [own] : [];
  });
  const value = mean(values);
  const apart = seeds.every((each) => each.apart?.get(id) === true);
  if (known.length < seeds.length) return { value, ci95: null, apart };
  const ends = [0, 1].map((end) => value + mean(known.map((each, i) => each[end]! - values[i]!))) as [number, number];
  const spread = values.reduce((sum, each) => sum + (each - value) ** 2, 0) / Math.max(1, values.length - 1);
  const own = { value, ci: ends, n: values.length };
  const { ci } = values.length > 1 ? widenInterval(own, spread / values.length, values.length - 1) : own;
  return { value, ci95: ci, apart };
}

/** Undefined where no ranked row has intervals by unit. */
export function unitTable({ rows: all, task }: Pick<Table, 'rows' | 'task'>): UnitTable | undefined {
  const rows = all.filter(({ detail, sampled }) => !detail && sampled.some(({ intervals }) => intervals));
  if (rows.length === 0) return undefined;
  const ids = [...new Set(rows.flatMap(({ sampled }) => sampled.flatMap(({ units }) => [...(units?.keys() ?? [])])))];
  const units = ids.map((id) => ({ id, cells: rows.map(({ sampled }) => cellOf(sampled, id)) }));
  const chance = task.shows?.chance ?? 0;
  const counts = rows.map((_, at) => {
    const apart = units.flatMap(({ cells }) => (cells[at]?.apart ? [cells[at].value] : []));
    return {
      above: apart.filter((value) => value > chance).length,
      below: apart.filter((value) => value < chance).length,
    };
  });
  const unit = rows.flatMap(({ sampled }) => sampled.flatMap((each) => each.unit ?? []))[0] ?? 'unit';
  return { unit, rows, units, counts };
}
