/** @file A comparison as Markdown: for a terminal, a pull request, the summary of a workflow. */
import { markdownCode, markdownText } from '../escape.ts';
import type { Comparison } from './comparison.ts';
import { type ViewRow, viewOf } from './view.ts';

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map((cells) => line(cells.map(markdownText)))];
}

const HEADS = ['', 'where', 'method', 'metric', 'difference [95 %]', 'p', 'before', 'after'];

const cells = ({ verdict, place, method, metric, before, after, difference, p }: ViewRow) => [
  ...[verdict, place, method, metric],
  ...[difference, p, before, after],
];

/** The comparison as a page of Markdown. */
export function renderMarkdown(comparison: Comparison): string {
  const view = viewOf(comparison);
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines.map((line) => `- ${markdownText(line)}`)];
  const rules = view.rules.map(({ text, failed, compared, detectable }) => [
    ...[failed ? 'FAILED' : 'passed', text, compared, detectable],
  ]);
  return [
    `# Comparison: ${view.outcome}`,
    '',
    ...[...view.sides, ...view.summary].map((line) => `- ${markdownText(line)}`),
    ...(rules.length === 0
      ? []
      : ['', '## Rules', '', ...table(['', 'fails if', 'comparisons', 'detectable'], rules), '', view.rates.rules]),
    ...view.rules.flatMap(({ text, lines }) =>
      lines.length === 0 ? [] : ['', `${markdownCode(text)}:`, '', ...lines.map((line) => `- ${markdownText(line)}`)],
    ),
    '',
    '## Main metrics that differ',
    '',
    ...(view.main.length === 0
      ? ['None.']
      : [
          ...table(
            [...HEADS, 'detectable', 'how'],
            view.main.map((row) => [...cells(row), row.detectable, row.how]),
          ),
          '',
          view.rates.main,
        ]),
    ...(view.others.length === 0
      ? []
      : [
          ...['', '## Other metrics that differ', ''],
          ...table(
            [...HEADS, 'how'],
            view.others.map((row) => [...cells(row), row.how]),
          ),
          '',
          `${view.rates.others}${view.left > 0 ? ` ${view.left} more are in the JSON.` : ''}`,
        ]),
    ...list('Notes', view.notes),
    ...list('Set aside', view.aside),
    '',
  ].join('\n');
}
