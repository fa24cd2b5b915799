/** @file Curves of several seeds → one mean curve a method. */
import type { ResultDisplay } from '../../harness/schema/display.generated.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import type { Series } from './lines.ts';

/** More lines than this hide one another: beyond, a method has one. All methods have theirs: a page can hide them. */
const MAX_LINES = 14;

/** What a task declares about its curves. */
interface CurveChoice {
  /** Only the variants whose name ends so. */
  only?: string | undefined;
  /** Which row of a method is ranked; the names of variants are values of the same axes. */
  ranked?: ResultDisplay['ranked'];
}

/** Lower for the variant that belongs to the row of a method that is ranked. */
function placeOf(variant: readonly string[], ranked: ResultDisplay['ranked']): number {
  const preferred = Object.values(ranked ?? {}).flat();
  const at = preferred.findIndex((value) => variant.includes(value));
  return at < 0 ? preferred.length : at;
}

const sameGrid = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/**
 * Curves named `family` or `family/<suffix>` (with `only`: those whose suffix ends so); seeds on one grid are averaged,
 * others are represented by the first. Where not all fit, each method keeps that of its ranked row, the first methods
 * of `results` before others; `left` is how many are not drawn.
 */
export function meanCurves(
  results: readonly Result[],
  family: string,
  { only, ranked }: CurveChoice = {},
): { lines: Series[]; left: number } {
  const groups = new Map<string, Series & { variant: string[]; count: number }>();
  for (const { method, curves } of results) {
    for (const [name, { x, y }] of Object.entries(curves ?? {})) {
      const [first, ...variant] = name.split('/');
      if (first !== family || x.length === 0) continue;
      if (only !== undefined && variant.at(-1) !== only) continue;
      const label = variant.length > 0 ? `${method.name} · ${variant.join('/')}` : method.name;
      const group = groups.get(label);
      if (!group) groups.set(label, { method: method.name, label, variant, x, y: [...y], count: 1 });
      else if (sameGrid(group.x, x)) {
        y.forEach((value, i) => {
          group.y[i] = group.y[i]! + value;
        });
        group.count++;
      }
    }
  }
  const lines = [...groups.values()].map(({ count, y, ...line }) => ({ ...line, y: y.map((value) => value / count) }));
  if (lines.length <= MAX_LINES) return { lines, left: 0 };
  const sorted = [...lines].sort((a, b) => placeOf(a.variant, ranked) - placeOf(b.variant, ranked));
  const methods = [...new Set(lines.map(({ method }) => method))];
  const first = methods.map((name) => sorted.find(({ method }) => method === name)!);
  const others = sorted.filter((line) => !first.includes(line));
  const kept = [...first, ...others.slice(0, Math.max(0, MAX_LINES - first.length))];
  return { lines: lines.filter((line) => kept.includes(line)), left: lines.length - kept.length };
}
