/** @file A comparison for programs. */
import type { Comparison, Line } from './comparison.ts';
import type { MetricDifference } from './differences.ts';
import type { Side } from './load.ts';
import type { Verdict } from './verdicts.ts';

const sideOf = ({ name, results, refused }: Side) => ({
  name,
  suites: [...new Set(results.map(({ suite }) => suite.id))],
  commits: [...new Set(results.flatMap(({ provenance: { git } }) => git?.commit ?? []))],
  results: results.length,
  refused,
});

const placeOf = ({ subject, site, task, method, axes, metric }: MetricDifference) => ({
  ...{ subject, site, task, method },
  ...{ axes, metric },
});

const sidesOf = ({ before, after }: MetricDifference) => ({
  before: before?.value ?? null,
  after: after?.value ?? null,
});

const verdictOf = ({ line, outcome, why, p, adjusted, detectable }: Verdict) => ({
  ...placeOf(line),
  ...sidesOf(line),
  ...{ difference: line.difference, outcome, why, p, adjusted, detectable },
});

function lineOf(line: Line) {
  const { main, headline, control, state, difference, ci95, p, adjusted, error, how, reason, lost } = line;
  const { unit, direction } = line.definition;
  return {
    ...placeOf(line),
    ...{ unit, direction, main, headline, control },
    ...sidesOf(line),
    ...{ state, difference, ci95, p, adjusted, error, how, reason, lost },
  };
}

/** All lines, most evidence first, and all verdicts. What is undefined is left out. */
export const toJson = ({ before, after, lines, aside, notes, rules, failed }: Comparison) => ({
  failed,
  before: sideOf(before),
  after: sideOf(after),
  rules: rules.map(({ rule, verdicts, failed: own, why, detectable }) => ({
    ...{ rule: rule.text, level: 1 - rule.alpha, failed: own, why, detectable },
    verdicts: verdicts.map(verdictOf),
  })),
  differences: lines.map(lineOf),
  notes,
  aside,
});
