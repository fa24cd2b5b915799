/** @file A comparison in the words that its Markdown and its page share. */
import type { Result } from '../../harness/schema/result.generated.ts';
import { axesLabel, formatInterval, formatNumber, metricTitle } from '../format.ts';
import type { Cell } from '../table.ts';
import { type Comparison, LEVEL, type Line } from './comparison.ts';
import type { MetricDifference } from './differences.ts';
import type { Side } from './load.ts';
import { levelText, type RuleOutcome } from './verdicts.ts';

/** One line of a table, as text. */
export interface ViewRow {
  verdict: string;
  place: string;
  method: string;
  metric: string;
  before: string;
  after: string;
  difference: string;
  p: string;
  detectable: string;
  how: string;
}

export interface ViewRule {
  text: string;
  failed: boolean;
  compared: string;
  detectable: string;
  /** One line for each comparison that failed, and each that could not be made. */
  lines: string[];
}

export interface ComparisonView {
  /** `passed`, `failed`, or that there are no rules. */
  outcome: string;
  failed: boolean;
  /** What each side was made with. */
  sides: string[];
  summary: string[];
  rules: ViewRule[];
  /** The error rates that are held, in a sentence each. */
  rates: { rules: string; main: string; others: string };
  main: ViewRow[];
  others: ViewRow[];
  /** How many more lines stand in the JSON alone. */
  left: number;
  notes: string[];
  aside: string[];
}

/** Lines of other metrics that are shown. */
const MAX_OTHERS = 60;

export const placeText = ({ subject, site, task }: Pick<Line, 'subject' | 'site' | 'task'>): string =>
  `${subject} ${site} ${task}`;

export const methodText = ({ method, axes }: Pick<Line, 'method' | 'axes'>): string =>
  Object.keys(axes).length > 0 ? `${method} (${axesLabel(axes)})` : method;

function sideText(label: string, { name, results }: Side): string {
  const distinct = (of: (result: Result) => string) => [...new Set(results.map(of))].join('; ');
  const commit = distinct(({ provenance: { git, saxbench } }) =>
    git ? `${git.commit.slice(0, 10)}${git.dirty ? ' (modified)' : ''}` : `saxbench ${saxbench}`,
  );
  const machine = distinct(
    ({ provenance: { cpu, cores, backend } }) => `${cpu} (${cores ?? '?'} cores), ${backend.name}`,
  );
  const seeds = [...new Set(results.map(({ seed }) => seed))].sort((a, b) => a - b).join(', ');
  const limited = results.some((result) => result.limited) ? ', made with --limit' : '';
  return `${label}: ${name}, suite ${distinct(({ suite }) => suite.id)}, seeds ${seeds}, ${results.length} results${limited}; ${commit}; ${machine}`;
}

/** Better, worse or other than before; `≈` where the two are not told apart. */
function verdictOf({ state, adjusted, difference, definition: { direction }, p }: Line): string {
  if (state === 'tested' && !((adjusted ?? p ?? 1) < LEVEL)) return '≈';
  if (state === 'tested' || state === 'counted') {
    if (direction === 'none') return 'changed';
    return difference! > 0 === (direction === 'max') ? 'better' : 'worse';
  }
  return { same: '=', untested: '? untested', lost: 'lost', gained: 'new', empty: '–' }[state];
}

const cellText = (cell: Cell | undefined): string => (cell ? formatInterval(cell.value, cell.ci95, cell) : '–');

function differenceText({ difference, ci95 }: MetricDifference): string {
  if (difference === null) return '–';
  const sign = difference > 0 ? '+' : '';
  return `${sign}${formatInterval(difference, ci95)}`;
}

const rowOf = (line: Line, detectable?: number): ViewRow => ({
  verdict: verdictOf(line),
  place: placeText(line),
  method: methodText(line),
  metric: metricTitle(line.metric),
  before: cellText(line.before),
  after: cellText(line.after),
  difference: differenceText(line),
  p: line.state === 'tested' ? formatNumber(line.adjusted ?? line.p) : '–',
  detectable: formatNumber(detectable),
  how: line.reason ?? line.how,
});

function ruleView({ rule, verdicts, failed, why, detectable }: RuleOutcome): ViewRule {
  const shown = verdicts.filter(({ outcome }) => outcome !== 'passed');
  const sizes = detectable.map(({ task, metric, sizes: found }) => {
    const [least, middle, largest] = found.map(formatNumber);
    return `${task} ${metricTitle(metric)} ${least === largest ? middle : `${middle} (${least} to ${largest})`}`;
  });
  return {
    text: `${rule.text}${/ at [^ ]+ ?%$/.test(rule.text) ? '' : ` (at ${levelText(rule)})`}`,
    failed,
    compared: String(verdicts.length),
    detectable: sizes.length > 0 ? sizes.join('; ') : 'unknown: no spread over seeds',
    lines: [
      ...(why === undefined ? [] : [why]),
      ...shown.map(
        ({ line, outcome, why: words }) =>
          `${outcome}: ${placeText(line)} ${methodText(line)} ${line.metric}: ${words}`,
      ),
    ],
  };
}

const count = (lines: readonly Line[], state: Line['state']): number =>
  lines.filter((line) => line.state === state).length;

function summaryOf({ lines, aside }: Comparison): string[] {
  const tested = lines.filter(({ adjusted }) => adjusted !== undefined);
  const main = tested.filter((line) => line.main);
  const apart = (of: readonly Line[]) => of.filter(({ adjusted }) => adjusted! < LEVEL).length;
  const others = tested.length - main.length;
  // Of a method that draws no random numbers another seed gives the same: it is not known here which do.
  const oneSeed = tested.filter(({ before, after }) => before?.seeds === 1 && after?.seeds === 1).length;
  const seedsLost = lines.filter(({ lost, state }) => lost.length > 0 && state !== 'lost').length;
  return [
    `${lines.length} values of ${new Set(lines.map(placeText)).size} tables: ${count(lines, 'same')} equal bit by bit, ` +
      `${count(lines, 'counted')} counted and different, ${count(lines, 'tested')} different with an error, ` +
      `${count(lines, 'untested')} different with nothing to test on.`,
    `Without a value (undefined): ${count(lines, 'empty')} in both, ${count(lines, 'lost')} after alone (lost), ` +
      `${count(lines, 'gained')} before alone (new); ${seedsLost} have lost some seeds.`,
    `Told apart: ${apart(main)} of ${main.length} main metrics, ${apart(tested) - apart(main)} of ${others} other metrics.`,
    ...(oneSeed > 0
      ? [
          `${oneSeed} of these rest on one seed on each side: what another seed would give is not in their error. Run more seeds.`,
        ]
      : []),
    ...(aside.length > 0 ? [`Set aside and not compared: ${aside.length}.`] : []),
  ];
}

/** What can be shown of a comparison, in words. */
export function viewOf(comparison: Comparison): ComparisonView {
  const { before, after, lines, rules, failed, notes, aside } = comparison;
  const shown = lines.filter(({ headline, control, state }) => headline && !control && state !== 'empty');
  const sizes = new Map(rules.flatMap(({ verdicts }) => verdicts.map(({ line, detectable }) => [line, detectable])));
  const differs = ({ main, state }: Line) => main && state !== 'same';
  const others = shown.filter(({ main, state }) => !main && state !== 'same');
  return {
    outcome: rules.length === 0 ? 'no rules: nothing can fail' : failed ? 'FAILED' : 'passed',
    failed,
    sides: [sideText('before', before), sideText('after', after)],
    summary: summaryOf(comparison),
    rules: rules.map(ruleView),
    rates: {
      rules:
        'Tests of drops, rises and changes are corrected for their number over all rules (Holm): the chance that noise alone ' +
        'fails any of them is at most 100 % less the level. “Detectable” is the change that would be found with a power of ' +
        '80 % (middle, least and largest of the comparisons); of “not within”, the least margin that could be shown.',
      main: 'Corrected for their number (Holm): the chance that any of these is called different by noise alone is at most 5 %.',
      others:
        'Corrected for their number (Benjamini and Hochberg): of those called different at most 5 % are so by noise, as expected.',
    },
    main: shown.filter(differs).map((line) => rowOf(line, sizes.get(line))),
    others: others.slice(0, MAX_OTHERS).map((line) => rowOf(line)),
    left: Math.max(0, others.length - MAX_OTHERS),
    notes,
    aside,
  };
}
