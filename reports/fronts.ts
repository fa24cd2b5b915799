/** @file Variants over their settings: curves of a metric over a size, as the task declares, and values at equal sizes. */
import { NEAR, paretoFront, type SizedValue, valueAt } from '../harness/num/stats/fronts.ts';
import type { ResultFrontDisplay } from '../harness/schema/display.generated.ts';
import { formatInterval, formatNumber, metricTitle } from './format.ts';
import { groupBy } from './group-by.ts';
import type { Table, TableRow } from './table.ts';

/** A setting of a variant. */
export interface FrontPoint extends SizedValue {
  method: TableRow['method'];
  /** No other setting has a better y with as small an x. */
  best: boolean;
}

/** Settings of one variant that differ in their sparsity alone, by size. */
export interface Curve {
  label: string;
  points: FrontPoint[];
}

export interface Front {
  display: ResultFrontDisplay;
  curves: Curve[];
}

/** A method's options without some. */
export function otherOptions({ options }: TableRow['method'], without: readonly (string | undefined)[]) {
  const all: Record<string, unknown> = { ...options };
  return Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name)));
}

/** What settings share that differ in some options alone. */
export function sharedKey(method: TableRow['method'], without: readonly (string | undefined)[]): string {
  const others = Object.entries(otherOptions(method, without)).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([method.id, others]);
}

/** Names of curves: the variant, with the options in which curves of one variant differ. */
function labelsOf(methods: readonly TableRow['method'][]): string[] {
  const others = methods.map((method) => otherOptions(method, [method.sparsity]));
  return methods.map(({ id }, i) => {
    const rivals = others.filter((_, j) => methods[j]!.id === id);
    const differing = Object.keys(others[i]!).filter(
      (name) => new Set(rivals.map((rival) => JSON.stringify(rival[name]))).size > 1,
    );
    return [id, ...differing.map((name) => `${name}=${String(others[i]![name])}`)].join(' ');
  });
}

/** The row of a method that its table ranks. */
const rankedRow = (table: Table | undefined, name: string) =>
  table?.rows.find(({ method, detail, control }) => method.name === name && !detail && control === undefined);

/**
 * What a table's task declares, where some variant stands in it with at least two settings of its sparsity.
 *
 * @param tables All tables at the same place: sizes may be another task's.
 */
export function frontsOf(table: Table, tables: readonly Table[]): Front[] {
  return (table.task.shows?.fronts ?? []).flatMap((display) => {
    const { x, y } = display;
    const sizes = x.task === undefined ? table : tables.find(({ task }) => task.id === x.task);
    const points = table.rows.flatMap((row): FrontPoint[] => {
      const { method, cells, detail, control } = row;
      if (method.kind !== 'sae' || method.sparsity === undefined || detail || control !== undefined) return [];
      const size = rankedRow(sizes, method.name)?.cells[x.metric]?.value;
      const value = cells[y]?.value;
      if (!size || size <= 0 || value === null || value === undefined) return [];
      return [{ method, x: size, y: value, ci95: cells[y]!.ci95, best: false }];
    });
    const direction = table.task.metrics[y]?.direction;
    if (direction !== undefined && direction !== 'none') {
      for (const point of paretoFront(points, direction, NEAR)) point.best = true;
    }
    const groups = groupBy(points, ({ method }) => sharedKey(method, [method.sparsity]));
    if (!groups.some((own) => own.length > 1)) return [];
    const labels = labelsOf(groups.map((own) => own[0]!.method));
    const curves = groups.map((own, i) => ({ label: labels[i]!, points: [...own].sort((a, b) => a.x - b.x) }));
    return [{ display, curves }];
  });
}

/** Sizes at which curves are compared. */
const MOST_SIZES = 6;

/** A table of a metric at equal sizes. */
export interface MatchedTable {
  title: string;
  columns: string[];
  /** Best first at the middle size. */
  rows: { label: string; cells: string[] }[];
}

/** Values at powers of two of the size that at least two curves span; undefined where there are none. */
export function matchedTable(front: Front, table: Table): MatchedTable | undefined {
  const { display, curves } = front;
  if (!display.matched) return undefined;
  const powers = Array.from({ length: 40 }, (_, i) => 2 ** i);
  const shared = powers.filter((size) => curves.filter(({ points }) => valueAt(points, size)).length > 1);
  if (shared.length === 0) return undefined;
  const sizes = shared.slice(0, MOST_SIZES);
  const middle = sizes[Math.floor((sizes.length - 1) / 2)]!;
  const sign = table.task.metrics[display.y]?.direction === 'min' ? -1 : 1;
  const rows = curves
    .filter(({ points }) => sizes.some((size) => valueAt(points, size)))
    .map(({ label, points }) => ({ label, points, order: (valueAt(points, middle)?.y ?? -sign * Infinity) * sign }))
    .sort((a, b) => b.order - a.order);
  return {
    title: `${metricTitle(display.y)} at equal ${metricTitle(display.x.metric)}`,
    columns: sizes.map((size) => `${metricTitle(display.x.metric)} ${formatNumber(size)}`),
    rows: rows.map(({ label, points }) => ({
      label,
      cells: sizes.map((size) => {
        const found = valueAt(points, size);
        return found ? formatInterval(found.y, found.ci95) : '–';
      }),
    })),
  };
}
