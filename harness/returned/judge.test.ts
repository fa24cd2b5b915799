/** @file Faulty judges: each is blamed on its file in one line, and no rating that is no rating counts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pluginFault } from '../plugin-fault.ts';
import { openRegistry } from '../registry.ts';
import { judgeOn } from '../testing/task-tools.ts';
import { blamed, writePlugin } from '../testing/written-plugins.ts';

const test = suite('faulty judges');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-faulty-'));
test.after(() => rmSync(folder, { recursive: true }));

const source = (id: string, opened: string) => `
import { defineJudge } from 'saxbench';
export default defineJudge({ id: '${id}', title: 'T', version: 1, options: {}, open: async () => (${opened}) });`;
const rating = (body: string) => `{ description: 'd', rate: async (rows) => ${body}, dispose() {} }`;

const CASES: readonly [opened: string, line: string][] = [
  ['7', 'open: expected { description, rate, dispose }; found 7'],
  ["{ description: 'd' }", 'open: expected both rate and dispose; found {"description":"d"}'],
  [rating('[]'), 'rate: expected a list of 2 ratings, one for each row; found a list of 0: []'],
  [rating('rows.map(() => 2)'), 'rate: [0]: expected { concept, instruct }; found 2'],
  [
    rating('rows.map(() => ({ concept: 2 }))'),
    'rate: [0].instruct: expected a number from 0 to 2 or null; found nothing',
  ],
  [
    rating('rows.map((_, i) => ({ concept: i ? NaN : 1, instruct: 1 }))'),
    'rate: [1].concept: expected a number from 0 to 2 or null; found NaN',
  ],
  [
    rating('rows.map(() => ({ concept: 0, instruct: 10 }))'),
    'rate: [0].instruct: expected a number from 0 to 2 or null; found 10',
  ],
  [
    rating('rows.map(() => ({ concept: 0, instruct: 1, fluency: "2" }))'),
    'rate: [0].fluency: expected a number from 0 to 2 or null; found "2"',
  ],
];

test('what a judge from outside returns is checked where it comes in', async () => {
  const registry = openRegistry();
  const dataset = { id: 'd', modality: 'text', fingerprint: 'f', corpus: async () => [] } as const;
  const row = { text: 'a', concept: { id: 'a', label: 'A' }, prompt: { id: 'p', text: '' } };
  for (const [i, [opened, line]] of CASES.entries()) {
    const file = await writePlugin(folder, registry, `judge-${i}`, source(`judge-${i}`, opened));
    const thrown: unknown = await judgeOn(dataset, await registry.get('judge', `judge-${i}`))
      .rate([row, row])
      .then(
        () => 'nothing was thrown',
        (error: unknown) => error,
      );
    assert.is((pluginFault(thrown) as Error | undefined)?.message ?? String(thrown), blamed(file, line));
  }
});

test.run();
