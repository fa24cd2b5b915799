/** @file Curves of several seeds → one mean curve a method. */
import type { Result } from '../../harness/schema/result.generated.ts';
import type { Series } from './lines.ts';

/** More lines than this hide one another: beyond, a method has one. */
const MAX_LINES = 14;
/** More than this cannot be told apart, though eight colours and six kinds of dashes give more. */
const MAX_METHODS = 24;

/** Of the variants of a curve family only these are drawn when there are more lines than fit, in this order. */
const PREFERRED_SUFFIXES = ['overall', 'auroc', 'detector', 'probe-k16', 'none', 'raw', ''];

const sameGrid = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/**
 * Curves named `family` or `family/<suffix>` (with `only`: those whose suffix ends so); seeds on one grid are averaged,
 * others are represented by the first. Where not all fit, each method keeps one, the first methods of `results` before
 * others; `left` is how many are not drawn.
 */
export function meanCurves(
  results: readonly Result[],
  family: string,
  only?: string,
): { lines: Series[]; left: number } {
  const groups = new Map<string, Series & { suffix: string; count: number }>();
  for (const { method, curves } of results) {
    for (const [name, { x, y }] of Object.entries(curves ?? {})) {
      const [first, ...rest] = name.split('/');
      if (first !== family || x.length === 0) continue;
      const suffix = rest.join('/');
      if (only !== undefined && rest.at(-1) !== only) continue;
      const label = suffix ? `${method.name} · ${suffix}` : method.name;
      const group = groups.get(label);
      if (!group) groups.set(label, { method: method.name, label, suffix, x, y: [...y], count: 1 });
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
  const priority = ({ suffix }: { suffix: string }) => {
    const at = PREFERRED_SUFFIXES.findIndex((preferred) => suffix === preferred || suffix.endsWith(`/${preferred}`));
    return at < 0 ? PREFERRED_SUFFIXES.length : at;
  };
  const sorted = [...lines].sort((a, b) => priority(a) - priority(b));
  const methods = [...new Set(lines.map(({ method }) => method))];
  const first = methods.map((name) => sorted.find(({ method }) => method === name)!);
  const others = sorted.filter((line) => !first.includes(line));
  const kept = [...first.slice(0, MAX_METHODS), ...others.slice(0, Math.max(0, MAX_LINES - first.length))];
  return { lines: lines.filter((line) => kept.includes(line)), left: lines.length - kept.length };
}
