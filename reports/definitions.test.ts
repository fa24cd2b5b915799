/** @file Results that cannot stand in one table: metrics defined otherwise, and copies of a result. */
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeResult } from '../harness/results.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { buildTables } from './aggregate.ts';
import { definedOtherwise } from './definitions.ts';
import { loadResults, renderReports } from './index.ts';
import type { Table } from './table.ts';
import { metric, rankedLines, resultWith } from './testing/results.ts';

const test = suite('reports/definitions');
let folder: string;
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-definitions-'));
});
test.after.each(() => rm(folder, { recursive: true }));

const scored = (name: string, value: number, more: Parameters<typeof metric>[2] = {}, seed = 0): Result =>
  resultWith(
    name,
    [{ axes: {}, metrics: { auroc: metric(value, null, { main: true, ...more }), f1: metric(0.5, null) } }],
    {
      seed,
    },
  );

test('one result whose metric is defined otherwise is named and left out: the others keep rank, unit and direction', async () => {
  const good = [scored('best', 0.9), scored('worse', 0.6)];
  for (const [i, [other, told]] of (
    [
      [scored('zzz', 0.7, { direction: 'min' }), /metric 'auroc': direction "min", there "max"/],
      [scored('zzz', 0.7, { unit: '%' }), /metric 'auroc': unit "%", there ""/],
      [scored('zzz', 0.7, { range: [0, 100] }), /metric 'auroc': range \[0,100\], there \[null,null\]/],
      [scored('zzz', 0.7, { version: 2 }), /metric 'auroc': version 2, there none/],
      [scored('zzz', 0.7, { counted: true }), /metric 'auroc': counted true, there none/],
      [scored('zzz', 0.7, { main: false }), /main metric none, there "auroc"/],
    ] as const
  ).entries()) {
    const into = join(folder, String(i));
    for (const result of [...good, other]) await writeResult(into, result);
    const { files, refused } = await renderReports(into, into);
    assert.is(refused.length, 1);
    assert.match(refused[0]!, told);
    assert.match(refused[0]!, /^result tiny-lm-planted zzz concept-detection seed 0: defines its numbers otherwise/);
    const rows = rankedLines(await readFile(files[0]!, 'utf8'));
    assert.match(rows[0]!, /\| AUROC ↑ \|/);
    assert.match(rows[2]!, /\| 1 \| \*\*best\*\*/);
    assert.is(rows.length, 4);
  }
});

test('the newest version of a task decides; one with other metrics beside is no conflict; other places are not compared', () => {
  const newer = scored('a', 0.9, { direction: 'min' });
  newer.task.version += 1;
  const older = [scored('b', 0.8), scored('c', 0.7)];
  assert.equal([...definedOtherwise([newer, ...older]).keys()], older);
  const more = scored('d', 0.5);
  more.task.metrics['extra'] = more.task.metrics['f1']!;
  assert.is(definedOtherwise([...older, more]).size, 0);
  const elsewhere = { ...newer, task: { ...newer.task, id: 'steering' } };
  assert.is(definedOtherwise([elsewhere, ...older]).size, 0);
});

test('what a table shows is of the newest version and of most results, wherever others come in their order', () => {
  const showing = (name: string, columns: string[], version: number) => {
    const result = scored(name, 0.5);
    return { ...result, task: { ...result.task, version, shows: { columns } } };
  };
  const results = [showing('a', ['f1'], 1), showing('b', [], 2), showing('c', ['f1'], 2), showing('d', ['f1'], 2)];
  for (const ordered of [results, results.toReversed()]) {
    const [{ task }] = buildTables(ordered) as [Table];
    assert.equal([task.version, task.shows], [2, { columns: ['f1'] }]);
  }
});

test('a result copied to the place of another seed or method is named and counts once', async () => {
  const file = await writeResult(folder, scored('topk', 0.5));
  await writeResult(folder, scored('topk', 0.7, {}, 1));
  await copyFile(file, file.replace('seed-0', 'seed-2'));
  const { results, refused } = await loadResults(folder);
  assert.equal(
    results.map(({ seed }) => seed),
    [0, 1],
  );
  assert.is(refused.length, 1);
  assert.match(refused[0]!, /seed-2\.json: is a copy: by its content it belongs to .*seed-0\.json/);
});

test.run();
