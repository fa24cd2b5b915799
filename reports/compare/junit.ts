/** @file Verdicts as JUnit XML, which most CI systems show: a suite a rule, a case a comparison. */
import type { Comparison } from './comparison.ts';
import { methodText, placeText } from './view.ts';

/** What XML 1.0 cannot hold at all. */
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const ENTITIES: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' },
  ...{ '\t': '&#9;', '\n': '&#10;', '\r': '&#13;' },
};
const escaped = (text: string): string =>
  text.replaceAll(FORBIDDEN, '\uFFFD').replaceAll(/[&<>"\t\n\r]/g, (character) => ENTITIES[character]!);

interface Case {
  of: string;
  name: string;
  failure?: string | undefined;
  skipped?: string | undefined;
}

function caseXml({ of, name, failure, skipped }: Case): string {
  const inside =
    failure !== undefined
      ? `<failure message="${escaped(failure)}"/>`
      : skipped !== undefined
        ? `<skipped message="${escaped(skipped)}"/>`
        : '';
  return `    <testcase classname="${escaped(of)}" name="${escaped(name)}">${inside}</testcase>`;
}

/** The rules as JUnit XML. A rule that compares nothing is a case that failed. */
export function toJunit({ rules }: Pick<Comparison, 'rules'>): string {
  const suites = rules.map(({ rule, verdicts, why }) => {
    const cases = verdicts.map(
      ({ line, outcome, why: words }): Case => ({
        of: placeText(line),
        name: `${methodText(line)} ${line.metric}`,
        failure: outcome === 'failed' ? words : undefined,
        skipped: outcome === 'aside' ? words : undefined,
      }),
    );
    if (why !== undefined) cases.push({ of: 'rule', name: rule.text, failure: why });
    const failures = cases.filter(({ failure }) => failure !== undefined).length;
    const skipped = cases.filter((each) => each.skipped !== undefined).length;
    const counts = `tests="${cases.length}" failures="${failures}" skipped="${skipped}"`;
    const xml = [`  <testsuite name="${escaped(rule.text)}" ${counts}>`, ...cases.map(caseXml), '  </testsuite>'];
    return { xml, tests: cases.length, failures };
  });
  const sum = (of: 'tests' | 'failures') => suites.reduce((all, suite) => all + suite[of], 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="saxbench compare" tests="${sum('tests')}" failures="${sum('failures')}">`,
    ...suites.flatMap(({ xml }) => xml),
    '</testsuites>',
    '',
  ].join('\n');
}
