/**
 * @file Rules over the differences of two runs → what failed. Tests of a change are one-sided and corrected for their number
 * over all rules (Holm): the chance that noise alone fails any of them is at most 1 less the level. That nothing got worse
 * by more than a margin must be shown of each comparison, which needs no correction (an intersection of tests).
 */
import { tailBeyond } from '../../harness/num/stats/error-parts.ts';
import { holm } from '../../harness/num/stats/paired.ts';
import { detectableChange } from '../../harness/num/stats/power.ts';
import { formatNumber } from '../format.ts';
import { groupBy } from '../group-by.ts';
import type { MetricDifference } from './differences.ts';
import { MAIN, type Rule } from './rules.ts';

export interface Verdict {
  line: MetricDifference;
  /** `aside`: not compared, as the machine is another. */
  outcome: 'passed' | 'failed' | 'aside';
  /** In words, with the numbers. */
  why: string;
  /** One-sided p of what the rule asks; `adjusted` for the number of tests, where it is one of them. */
  p?: number;
  adjusted?: number;
  /** The change that the rule would find here with a power of 80 %; of a margin, the least that could be shown. */
  detectable?: number;
}

export interface RuleOutcome {
  rule: Rule;
  verdicts: Verdict[];
  failed: boolean;
  /** Why it failed without a verdict: it compares nothing. */
  why?: string;
  /** By task and metric: least, middle and largest detectable change of its comparisons. */
  detectable: { task: string; metric: string; sizes: [least: number, middle: number, largest: number] }[];
}

const selects = ({ task, metric, methods }: Rule, line: MetricDifference): boolean =>
  line.headline &&
  (task === undefined || line.task === task) &&
  (metric === MAIN ? line.main : line.metric === metric) &&
  (methods === undefined ? !line.control : methods.includes(line.method)) &&
  !(line.state === 'empty' && line.aside === undefined);

/** The change that a rule looks for, as a number that grows with it. */
function effect({ kind }: Rule, { definition: { direction } }: MetricDifference, difference: number): number {
  if (kind === 'changes' || (kind === 'not within' && direction === 'none')) return Math.abs(difference);
  const falls = kind === 'drops' || ((kind === 'worsens' || kind === 'not within') && direction === 'max');
  return falls ? -difference : difference;
}

const thresholdOf = ({ amount, relative }: Rule, { before }: MetricDifference): number =>
  relative ? (amount / 100) * Math.abs(before?.value ?? 0) : amount;

/** p of the change being no larger than the rule allows. */
function changeP(rule: Rule, line: MetricDifference): number {
  const { difference, error, p } = line;
  const beyond = effect(rule, line, difference!) - thresholdOf(rule, line);
  const sides = rule.kind === 'changes' ? 2 : 1;
  if (error.length === 0) return beyond > 0 ? (p! * sides) / 2 : 1;
  return Math.min(1, sides * tailBeyond(error, beyond));
}

/** p of the change being at least the margin. */
function marginP(rule: Rule, line: MetricDifference): number {
  const { difference, error } = line;
  const beyond = effect(rule, line, difference!) - thresholdOf(rule, line);
  if (error.length === 0) return beyond < 0 ? 0 : 1;
  return tailBeyond(error, -beyond);
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${formatNumber(value)}`;

/** Percent of a level, `95 %`. */
export const levelText = ({ alpha }: Rule): string => `${Number(((1 - alpha) * 100).toPrecision(6))} %`;

/** What needs no test: undefined where one must be made. */
function withoutTest(rule: Rule, line: MetricDifference): Verdict | undefined {
  if (line.aside !== undefined) return { line, outcome: 'failed', why: `not compared: ${line.aside}` };
  if (line.elsewhere) return { line, outcome: 'aside', why: 'measured on another machine: not compared' };
  const reason = line.reason === undefined ? '' : `: ${line.reason}`;
  if (line.state === 'lost') return { line, outcome: 'failed', why: `no value after${reason}` };
  if (line.lost.length > 0) {
    return { line, outcome: 'failed', why: `seed ${line.lost.join(', ')} has no value after${reason}` };
  }
  if (line.state === 'gained') return { line, outcome: 'passed', why: 'no value before: nothing to compare with' };
  if (line.state === 'untested') return { line, outcome: 'failed', why: line.how };
  if (line.state === 'same') return { line, outcome: 'passed', why: line.how };
  if (line.state !== 'counted') return undefined;
  const failed = effect(rule, line, line.difference!) > thresholdOf(rule, line);
  return { line, outcome: failed ? 'failed' : 'passed', why: `${signed(line.difference!)}, counted` };
}

function withDetectable(rule: Rule, verdict: Verdict, tests: number): Verdict {
  const { line } = verdict;
  if (line.noise.length === 0 || line.elsewhere || line.aside !== undefined) return verdict;
  const size =
    rule.kind === 'not within'
      ? detectableChange(line.noise, rule.alpha)
      : thresholdOf(rule, line) + detectableChange(line.noise, rule.alpha / (rule.kind === 'changes' ? 2 : 1) / tests);
  return { ...verdict, detectable: size };
}

/** Changes that would be found, by the metric that they are of. */
function sizesOf(verdicts: readonly Verdict[]): RuleOutcome['detectable'] {
  const sized = verdicts.filter(({ detectable }) => detectable !== undefined);
  return groupBy(sized, ({ line: { task, metric } }) => JSON.stringify([task, metric])).map((own) => {
    const sizes = own.map(({ detectable }) => detectable!).sort((a, b) => a - b);
    const { task, metric } = own[0]!.line;
    return { task, metric, sizes: [sizes[0]!, sizes[Math.floor(sizes.length / 2)]!, sizes.at(-1)!] };
  });
}

/** Applies the rules; all tests of changes are one family. */
export function judge(rules: readonly Rule[], lines: readonly MetricDifference[]): RuleOutcome[] {
  const open = rules.map((rule) =>
    lines
      .filter((line) => selects(rule, line))
      .map((line): Verdict => {
        const known = withoutTest(rule, line);
        if (known) return known;
        const p = rule.kind === 'not within' ? marginP(rule, line) : changeP(rule, line);
        return { line, outcome: 'passed', why: '', p };
      }),
  );
  const isTest = (rule: Rule, { p }: Verdict) => rule.kind !== 'not within' && p !== undefined;
  const tested = rules.flatMap((rule, i) => open[i]!.filter((verdict) => isTest(rule, verdict)));
  const corrected = holm(tested.map(({ p }) => p!));
  const compared = rules.flatMap(({ kind }, i) =>
    kind === 'not within'
      ? []
      : open[i]!.filter(({ line: { noise }, outcome }) => noise.length > 0 && outcome !== 'aside'),
  ).length;
  return rules.map((rule, i) => {
    const verdicts = open[i]!.map((verdict): Verdict => {
      const { p, line } = verdict;
      if (p === undefined) return withDetectable(rule, verdict, compared);
      const place = tested.indexOf(verdict);
      const adjusted = place < 0 ? p : corrected[place]!;
      const failed = place < 0 ? !(p < rule.alpha) : adjusted < rule.alpha;
      const shown =
        place < 0 ? `p = ${formatNumber(p)}` : `p = ${formatNumber(p)}, ${formatNumber(adjusted)} corrected`;
      const why = `${signed(line.difference!)} (${shown}; ${line.how})`;
      const judged: Verdict = {
        line,
        outcome: failed ? 'failed' : 'passed',
        why,
        p,
        ...(place < 0 ? {} : { adjusted }),
      };
      return withDetectable(rule, judged, compared);
    });
    const why = verdicts.length === 0 ? 'no row has a value for it: nothing is guarded' : undefined;
    return {
      rule,
      verdicts,
      failed: why !== undefined || verdicts.some(({ outcome }) => outcome === 'failed'),
      ...(why === undefined ? {} : { why }),
      detectable: sizesOf(verdicts),
    };
  });
}
