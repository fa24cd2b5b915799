/** @file Two sets of seeds' values → their difference, its error and how the two were put against each other. */
import { distanceAt, tailBeyond } from '../../harness/num/stats/error-parts.ts';
import { type ErrorPart, pairedDifference, type Sampled, unpairedDifference } from '../../harness/num/stats/paired.ts';
import { studentQuantile } from '../../harness/num/stats/student-t.ts';
import type { ResultMetricDefinition } from '../../harness/schema/metric-definition.generated.ts';
import type { ResultMetric } from '../../harness/schema/result.generated.ts';

/** What one seed gave. */
export interface SeedValue extends Sampled {
  measured: ResultMetric;
  /** What its units are, e.g. `concept`. */
  unit: string | undefined;
}

export interface SampleDifference {
  /**
   * `same`: equal bit by bit; `counted`: any difference is one; `tested`: with an error; `untested`: nothing tells its error;
   * `lost`, `gained`: only before, only after; `empty`: no value on either side.
   */
  state: 'same' | 'counted' | 'tested' | 'untested' | 'lost' | 'gained' | 'empty';
  /** After less before; null where a side has no value. */
  difference: number | null;
  ci95: [low: number, high: number] | null;
  /** Two-sided p of no difference, not corrected. */
  p: number | null;
  /** What the error of the difference is made of; none where it has none. */
  error: readonly ErrorPart[];
  /** The error that the next change would meet: this one's, or of equal runs what their seeds differ by; none: not known. */
  noise: readonly ErrorPart[];
  /** How the two were put against each other, in words. */
  how: string;
}

const CONFIDENCE = 0.95;

/** A difference and the parts of its error. */
interface Tested {
  value: number;
  parts: readonly ErrorPart[];
  /** Two-sided, where no error is left to test with: all differences are equal. */
  p: number;
}

/** Of two means with intervals of their own, as if nothing connected them. */
function byIntervals(before: SeedValue, after: SeedValue): Tested | null {
  const parts = [before, after].flatMap(({ measured: { ci95, n, units = n } }) => {
    if (ci95 === null || units < 2 || ci95[0] === ci95[1]) return [];
    const se = (ci95[1] - ci95[0]) / 2 / studentQuantile((1 + CONFIDENCE) / 2, units - 1);
    return [{ variance: se * se, df: units - 1 }];
  });
  return parts.length === 2 ? { value: after.value - before.value, parts, p: 1 } : null;
}

/** `16 concepts`, `24 blocks of documents`; the empty string without units. */
function unitsText(before: readonly SeedValue[], after: readonly SeedValue[]): string {
  const all = [...before, ...after];
  const sizes = all.map(({ units }) => units?.size ?? 0);
  const common = [...(all[0]!.units?.keys() ?? [])].filter((name) => all.every(({ units }) => units?.has(name))).length;
  if (common < 2) return '';
  const [word, ...rest] = (all[0]!.unit ?? 'unit').split(' ');
  const most = Math.max(...sizes);
  return `${common}${common < most ? ` of ${most}` : ''} ${[`${word}s`, ...rest].join(' ')}`;
}

/** The difference and how it was had: in pairs where both sides have the same units and seeds, else apart. */
function tested(before: readonly SeedValue[], after: readonly SeedValue[]): { test: Tested | null; how: string } {
  const common = after.filter(({ seed }) => before.some((each) => each.seed === seed)).map(({ seed }) => seed);
  const units = unitsText(before, after);
  const counts = `${before.length} and ${after.length}`;
  if (common.length > 1) {
    const [old, now] = [before, after].map((side) => side.filter(({ seed }) => common.includes(seed)));
    const of = common.length < Math.max(before.length, after.length) ? ` (of ${counts})` : '';
    const how = `${[...(units ? [units] : []), `${common.length} seeds`].join(' × ')}, in pairs${of}`;
    return { test: pairedDifference(now!, old!), how };
  }
  const test = unpairedDifference(after, before);
  if (before.length + after.length > 2) {
    return { test, how: `${units ? `${units} in pairs, ` : ''}seeds ${counts}, unpaired` };
  }
  if (test) return { test, how: `${units} in pairs; one seed: what another would give is not known` };
  return { test: byIntervals(before[0]!, after[0]!), how: 'unpaired: the interval of each; one seed' };
}

/** The error that a change of equal runs would meet: each seed beside the next, as if noise were drawn anew. */
function redrawn(values: readonly SeedValue[]): readonly ErrorPart[] {
  if (values.length < 2) return [];
  const next = values.map((value, i) => ({ ...values[(i + 1) % values.length]!, seed: value.seed }));
  return pairedDifference(values, next)?.parts ?? [];
}

/** Equal seed by seed; of what runs once, whatever its seed is called: what draws nothing has that of the first seed. */
function sameValues(before: readonly SeedValue[], after: readonly SeedValue[]): boolean {
  if (before.length === 1 && after.length === 1) return before[0]!.value === after[0]!.value;
  const isIn = ({ seed, value }: SeedValue) => after.some((each) => each.seed === seed && each.value === value);
  return before.length === after.length && before.every(isIn);
}

/** What lies between the values of two runs. */
export function betweenSamples(
  before: readonly SeedValue[],
  after: readonly SeedValue[],
  { counted }: Pick<ResultMetricDefinition, 'counted'>,
): SampleDifference {
  const untold = { ci95: null, p: null, error: [], noise: [] };
  if (before.length === 0 || after.length === 0) {
    const state = before.length > 0 ? 'lost' : after.length > 0 ? 'gained' : 'empty';
    return { ...untold, state, difference: null, how: '' };
  }
  if (sameValues(before, after)) {
    return { ...untold, state: 'same', difference: 0, p: 1, how: 'equal bit by bit', noise: redrawn(after) };
  }
  const mean = (side: readonly SeedValue[]) => side.reduce((sum, { value }) => sum + value / side.length, 0);
  const difference = mean(after) - mean(before);
  const constant = (side: readonly SeedValue[]) => side.every(({ value }) => value === side[0]!.value);
  if (counted && constant(before) && constant(after)) {
    return { ...untold, state: 'counted', difference, p: 0, how: 'counted: any difference is one' };
  }
  const { test, how } = tested(before, after);
  if (!test) return { ...untold, state: 'untested', difference, how: 'one seed and no interval: nothing to test on' };
  const { value, parts, p } = test;
  if (parts.length === 0) return { ...untold, state: 'tested', difference: value, p, how };
  const half = distanceAt(parts, (1 - CONFIDENCE) / 2);
  return {
    ...{ state: 'tested', difference: value, ci95: [value - half, value + half], how },
    p: 2 * tailBeyond(parts, Math.abs(value)),
    ...{ error: parts, noise: parts },
  };
}
