/** @file The history of a suite: runs are added to its file, and shown as trends with the changes of level in them. */
import { join } from 'node:path';
import { atomicWriteFile } from '../harness/io/atomic.ts';
import { markdownText } from './escape.ts';
import type { HistoryRow } from './history/file.ts';
import { type HistoryView, historyView } from './history/view.ts';
import { renderSvg } from './plots/svg.ts';
import { renderTemplate } from './template.ts';

export { appendRun, historyRows, readHistory } from './history/file.ts';
export { historyView } from './history/view.ts';

/** The history as Markdown. */
export function historyMarkdown({ suite, runs, changes, test, notes }: HistoryView): string {
  const line = (cells: readonly string[]) => `| ${cells.map(markdownText).join(' | ')} |`;
  const heads = ['', 'where', 'method', 'metric', 'level', 'between', 'p'];
  return [
    `# History of suite ${markdownText(suite)}: ${runs.length} run${runs.length === 1 ? '' : 's'}, ${changes.length} change${changes.length === 1 ? '' : 's'} of level`,
    '',
    ...(changes.length === 0
      ? ['No change of level.']
      : [
          line(heads),
          line(heads.map(() => '---')),
          ...changes.map(({ verdict, where, method, metric, levels, between, p }) =>
            line([verdict, where, method, metric, levels, between, p]),
          ),
        ]),
    '',
    test,
    '',
    ...runs.map((run) => `- ${markdownText(run)}`),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `- ${markdownText(note)}`)] : []),
    '',
  ].join('\n');
}

/** Writes history.md and history.html, with the plots, into a folder; returns their paths. */
export async function writeHistory(rows: readonly HistoryRow[], folder: string): Promise<string[]> {
  const view = historyView(rows);
  const plots = [];
  for (const [i, plot] of view.plots.entries()) {
    const { title, caption, legend } = plot;
    plots.push({ title, caption, legend, svg: await renderSvg(plot, `history-${i}`) });
  }
  const files: [string, string][] = [
    [join(folder, 'history.md'), historyMarkdown(view)],
    [join(folder, 'history.html'), await renderTemplate('history.html.hbs', { ...view, plots })],
  ];
  for (const [file, text] of files) await atomicWriteFile(file, text);
  return files.map(([file]) => file);
}
