/** @file Variants over their settings: curves of a metric over a size, as the task declares, and values at equal sizes. */
import { NEAR, paretoFront, type SizedValue, valueAt } from '../harness/num/stats/fronts.ts';
import type { ResultFrontDisplay } from '../harness/schema/display.generated.ts';
import { formatInterval, formatNumber, metricTitle } from './format.ts';
import { MARK } from './marks.ts';
import type { Setting } from './settings.ts';
import type { Table, TableRow } from './table.ts';
import { curvesOf } from './variants.ts';

/** A setting of a variant. */
export interface FrontPoint extends SizedValue, Setting {
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

/** The row of a method that another table ranks, where its results may have been told apart under other names. */
function rankedRow(table: Table | undefined, { name, identity }: TableRow['method']): TableRow | undefined {
  const own = table?.rows.filter((row) => row.method.identity === identity && !row.detail && row.control !== 'row');
  return own?.find(({ method }) => method.name === name) ?? (own?.length === 1 ? own[0] : undefined);
}

/** A size of the rows of a table, which may be a metric of another task at the same place; undefined where it is not known. */
export function sizesOf(
  table: Table,
  tables: readonly Table[],
  { task, metric }: ResultFrontDisplay['x'],
): (method: TableRow['method']) => number | undefined {
  const sizes = task === undefined ? table : tables.find((other) => other.task.id === task);
  return (method) => {
    const size = rankedRow(sizes, method)?.cells[metric]?.value;
    return size && size > 0 ? size : undefined;
  };
}

/**
 * The main metric against what other tasks at the same place say that a method costs, as fronts are declared. Not of a
 * task that says costs itself: it shows what it will beside them.
 */
export function costDisplays({ task, main }: Table, tables: readonly Table[]): ResultFrontDisplay[] {
  if (main === undefined || task.shows?.costs) return [];
  return tables.flatMap(({ task: priced }) =>
    (priced.shows?.costs ?? []).map((metric) => ({
      x: { metric, task: priced.id },
      y: main,
      title: `${task.title}: ${metricTitle(main)} against ${metricTitle(metric)}`,
      caption: 'To the left costs less. Ringed: nothing that costs as little is better.',
      logX: true,
    })),
  );
}

/**
 * What a table's task declares and what it costs, where some variant stands in it with at least two settings of its sparsity.
 *
 * @param tables All tables at the same place: sizes may be another task's.
 */
export function frontsOf(table: Table, tables: readonly Table[]): Front[] {
  return [...(table.task.shows?.fronts ?? []), ...costDisplays(table, tables)].flatMap((display) => {
    const { x, y } = display;
    // What ranks nothing shows no method as unbeaten either.
    if (table.withheld && y === table.main) return [];
    const sizeOf = sizesOf(table, tables, x);
    const unsized: string[] = [];
    const points = table.rows.flatMap((row): FrontPoint[] => {
      const { method, run, training, cells, detail, control } = row;
      if (method.kind !== 'sae' || method.sparsity === undefined || detail || control !== undefined) return [];
      const size = sizeOf(method);
      const value = cells[y]?.value;
      if (value === null || value === undefined) return [];
      if (size === undefined) {
        unsized.push(method.name);
        return [];
      }
      const { ci95, few } = cells[y]!;
      return [{ method, run, training, x: size, y: value, ci95, ...(few ? { few } : {}), best: false }];
    });
    const direction = table.task.metrics[y]?.direction;
    if (direction !== undefined && direction !== 'none') {
      for (const point of paretoFront(points, direction, NEAR)) point.best = true;
    }
    const curves = curvesOf(points).map(({ label, own }) => ({ label, points: own.sort((a, b) => a.x - b.x) }));
    if (!curves.some((curve) => curve.points.length > 1)) return [];
    return [{ display: withLeftOut(display, unsized), curves }];
  });
}

/** The caption names the methods whose size no row tells: a curve without them looks whole. */
function withLeftOut(display: ResultFrontDisplay, unsized: readonly string[]): ResultFrontDisplay {
  if (unsized.length === 0) return display;
  const names = [...new Set(unsized)].join(', ');
  return {
    ...display,
    caption: `${display.caption} Not drawn, for their ${metricTitle(display.x.metric)} is not known: ${names}.`,
  };
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
      label: table.marks.some((mark) => points.some(({ method }) => method.name === mark.method))
        ? `${MARK} ${label}`
        : label,
      cells: sizes.map((size) => {
        const found = valueAt(points, size);
        return found ? formatInterval(found.y, found.ci95, found) : '–';
      }),
    })),
  };
}
