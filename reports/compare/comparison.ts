/** @file Two runs → the lines of their comparison, most evidence first, and what rules make of them. */
import { benjaminiHochberg, holm } from '../../harness/num/stats/paired.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { differencesOf, type MetricDifference } from './differences.ts';
import type { Side } from './load.ts';
import { matchResults } from './match.ts';
import { checkRules, type Rule } from './rules.ts';
import { speedLine } from './speed.ts';
import { judge, type RuleOutcome } from './verdicts.ts';

/** A line whose difference was tested beside others. */
export interface Line extends MetricDifference {
  /**
   * p corrected for the number of tests: of main metrics by Holm over all of them, of other metrics by Benjamini and
   * Hochberg. Absent where nothing was tested, and for controls and details.
   */
  adjusted?: number;
}

export interface Comparison {
  before: Side;
  after: Side;
  /** Most evidence first. */
  lines: Line[];
  /** What is in both and cannot be compared, and what cannot be believed. */
  aside: string[];
  notes: string[];
  rules: RuleOutcome[];
  failed: boolean;
}

/** Of corrected p: below it a line is told apart. */
export const LEVEL = 0.05;

/** Whether a line is one of those that are tested together. */
const isTested = ({ headline, control, state, definition, aside }: MetricDifference): boolean =>
  headline && !control && state === 'tested' && !definition.measured && aside === undefined;

function corrected(lines: readonly MetricDifference[]): Line[] {
  const families = [
    { own: lines.filter((line) => isTested(line) && line.main), correct: holm },
    { own: lines.filter((line) => isTested(line) && !line.main), correct: benjaminiHochberg },
  ];
  const adjusted = new Map<MetricDifference, number>();
  for (const { own, correct } of families) {
    correct(own.map(({ p }) => p!)).forEach((p, i) => {
      adjusted.set(own[i]!, p);
    });
  }
  return lines.map((line) => (adjusted.has(line) ? { ...line, adjusted: adjusted.get(line)! } : line));
}

/** Standard errors that a difference is away from nothing. */
const distance = ({ difference, error }: Line): number =>
  error.length > 0 ? Math.abs(difference!) / Math.sqrt(error.reduce((sum, { variance }) => sum + variance, 0)) : 0;

/** By corrected p, then by p, then by distance; what was not tested last. */
const byEvidence = (a: Line, b: Line): number =>
  (a.adjusted ?? 2) - (b.adjusted ?? 2) || (a.p ?? 2) - (b.p ?? 2) || distance(b) - distance(a);

/** Results that another run may add to, as a judge could not be asked. */
function incompleteLine(name: string, results: readonly Result[]): string | undefined {
  const open = results.filter(({ incomplete }) => incomplete !== undefined);
  return open.length === 0 ? undefined : `${name}: ${open.length} results are incomplete: ${open[0]!.incomplete}`;
}

/**
 * Compares two runs.
 *
 * @param across Settings that may differ.
 * @throws UserError for rules and settings that neither run knows.
 */
export function compareRuns(
  before: Side,
  after: Side,
  { rules = [], across = [] }: { rules?: readonly Rule[]; across?: readonly string[] } = {},
): Comparison {
  checkRules(rules, [...before.results, ...after.results]);
  const { matches, aside, notes } = matchResults(before, after, across);
  const apart = aside.flatMap(({ match, reason }) =>
    differencesOf([match]).map((line): MetricDifference => ({ ...line, aside: reason })),
  );
  const lines = corrected(differencesOf(matches)).sort(byEvidence);
  const speed = speedLine(before.results, after.results);
  const open = [before, after].flatMap(({ name, results }) => incompleteLine(name, results) ?? []);
  const outcomes = judge(rules, [...lines, ...apart]);
  return {
    before,
    after,
    lines,
    aside: [...aside.map(({ name, reason }) => `${name}: ${reason}`), ...before.refused, ...after.refused],
    notes: [...notes, ...open, ...(speed === undefined ? [] : [speed])],
    rules: outcomes,
    failed: outcomes.some(({ failed }) => failed),
  };
}
