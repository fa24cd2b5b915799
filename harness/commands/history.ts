/** @file `saxbench history`: adds a run to the history of its suite, and shows trends and the changes of level. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../errors.ts';
import type { Command } from './command.ts';

export const command: Command = {
  name: 'history',
  usage: 'history [run]',
  summary: 'Add a run to the history of its suite; show trends, and where a level changed',
  positionals: {
    run: { description: 'A folder that `run` wrote to, or a .jsonl of results', default: 'saxbench-out/nightly' },
  },
  examples: [
    ['saxbench history', 'adds saxbench-out/nightly, and shows what changed'],
    ['saxbench history --no-append --out site', 'only shows; with plots, as a page'],
  ],
  async run({ positionals, values, print, say, signal }) {
    const { appendRun, historyMarkdown, historyRows, historyView, readHistory, writeHistory } = await import(
      '../../reports/history.ts'
    );
    const file = values['history'] as string;
    let rows = await readHistory(file);
    let added = false;
    if (values['append']) {
      const { loadSide } = await import('../../reports/compare.ts');
      const side = await loadSide(positionals['run']!);
      if (side.refused.length > 0) throw new UserError(`history: ${side.refused[0]}`);
      const own = historyRows(side.results, new Date(), side.name);
      const { withLock } = await import('../store/lock.ts');
      const onWait = (holder: string) => say(`waiting for ${holder}, who writes ${file}`);
      ({ rows, added } = await withLock(`${file}.lock`, () => appendRun(file, own), { onWait, signal }));
    } else if (!existsSync(file)) {
      throw new UserError(`history: expected a history in ${file}; found none. Add a run: saxbench history RUN.`);
    }
    if (rows.length === 0) throw new UserError(`history: ${file} holds no run yet. Add one: saxbench history RUN.`);
    const out = values['out'] as string | undefined;
    const files = out === undefined ? [] : await writeHistory(rows, resolve(out));
    const view = historyView(rows);
    if (values['json']) {
      const { plots: _, ...rest } = view;
      print(JSON.stringify({ file, added, ...rest, files }, null, 2));
      return 0;
    }
    print(historyMarkdown(view));
    if (values['append']) print(added ? `added to ${file}` : `the run is in ${file} already`);
    for (const each of files) print(`wrote ${each}`);
    return 0;
  },
};
