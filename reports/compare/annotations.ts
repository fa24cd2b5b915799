/** @file What failed as workflow commands of GitHub Actions, which shows them beside a change. */
import type { Comparison } from './comparison.ts';
import { methodText, placeText } from './view.ts';

/** GitHub shows ten annotations of a kind and step. */
const MOST = 10;

const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** `::error title=…::…` for what failed, a warning for what could not be compared, a notice with what can be seen. */
export function annotations({ rules, aside }: Pick<Comparison, 'rules' | 'aside'>): string[] {
  const errors = rules.flatMap(({ rule, verdicts, why }) => [
    ...(why === undefined ? [] : [{ title: rule.text, text: why }]),
    ...verdicts
      .filter(({ outcome }) => outcome === 'failed')
      .map(({ line, why: words }) => ({
        title: rule.text,
        text: `${placeText(line)} ${methodText(line)} ${line.metric}: ${words}`,
      })),
  ]);
  const more = errors.length > MOST ? [`::error::${errors.length - MOST + 1} more failed: see the report`] : [];
  const shown = more.length > 0 ? errors.slice(0, MOST - 1) : errors;
  return [
    ...shown.map(({ title, text }) => `::error title=${property(title)}::${data(text)}`),
    ...more,
    ...(aside.length > 0
      ? [`::warning::${data(`${aside.length} set aside and not compared; the first: ${aside[0]}`)}`]
      : []),
  ];
}
