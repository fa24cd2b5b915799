/** @file Faulty tasks: each is blamed on its file in one line, the others go on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodeOf } from '../execute.ts';
import { toyRegistry } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';
import { blamed, taskSource, writePlugin } from '../testing/written-plugins.ts';

const test = suite('faulty tasks');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-faulty-'));
test.after(() => rmSync(folder, { recursive: true }));

const TASKS: readonly [outcome: string, line: string][] = [
  ['return undefined;', 'run: expected { rows }; found nothing'],
  ['return { rows: [] };', 'run: rows: expected one row or more; found a list of 0: []'],
  ['return { rows: [{}] };', 'run: rows[0].axes: expected texts by name; found nothing'],
  ['return { rows: [{ ...row, axes: { a: 1 } }] };', 'run: rows[0].axes: expected texts by name; found {"a":1}'],
  [
    'row.metrics.value.value = "0.5"; return { rows: [row] };',
    'run: rows[0].metrics.value.value: expected a number or null; found "0.5"',
  ],
  [
    'row.metrics.value.value = NaN; return { rows: [row] };',
    "row 0 ({}): metric 'value': expected a finite number; found NaN",
  ],
  [
    'row.metrics.value.value = 1.5; return { rows: [row] };',
    "row 0 ({}): metric 'value': expected a value in [0, 1]; found 1.5",
  ],
  [
    'row.metrics.other = row.metrics.value; return { rows: [row] };',
    "row 0 ({}): metric 'other': not declared; the task declares value",
  ],
  [
    'row.metrics.value.ci95 = [0]; return { rows: [row] };',
    'run: rows[0].metrics.value.ci95: expected [low, high] or null; found a list of 1: [0]',
  ],
  [
    'return { rows: [row], curves: { roc: { x: [1, 2], y: [1] } } };',
    'run: curves.roc: expected lists x and y of one length; found {"x":[1,2],"y":[1]}',
  ],
  [
    'return { rows: [row], marks: [{ code: "Bad Code", message: "" }] };',
    'run: marks: expected a list of { code, message }; found a list of 1: [{"code":"Bad Code","message":""}]',
  ],
  ['throw "late";', 'run: threw "late"; expected an Error'],
];

test(`${TASKS.length} faulty tasks`, async () => {
  const registry = toyRegistry();
  const files: string[] = [];
  for (const [i, [outcome]] of TASKS.entries())
    files.push(await writePlugin(folder, registry, `task-${i}`, taskSource(`task-${i}`, outcome)));
  await writePlugin(folder, registry, 'fine', taskSource('fine', 'return { rows: [row] };'));
  const tasks = [...TASKS.keys()].map((i) => ({ id: `task-${i}` }));
  const { summary } = await runToy(
    join(folder, 'tasks'),
    { methods: [{ id: 'toy-null' }], tasks: [...tasks, { id: 'fine' }], seeds: [0] },
    undefined,
    { registry },
  );
  assert.equal(
    summary.results.map(({ task }) => task.id),
    ['fine'],
  );
  const failed = new Map(summary.failed.map(({ task, failed }) => [task.id, failed!]));
  for (const [i, [, line]] of TASKS.entries()) {
    const said = failed.get(`task-${i}`)!.replace(`task task-${i} on toy-null: `, '');
    assert.is(said, blamed(files[i]!, line), `task ${i}`);
  }
  assert.is(exitCodeOf(summary.failures), 2);
});

test.run();
