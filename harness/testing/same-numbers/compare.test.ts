/** @file That a changed number, a missing and a moved line are seen, and a raised version is not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareResults } from './compare.ts';

const test = suite('same numbers');

const HEAD = 'task,task_version,method,metric,value,key';
const LINES = ['steering,1,topk,score,0.25,aaa', 'steering,1,pca,score,0.5,bbb'];

let folder = '';
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-same-'));
});
test.after(() => rm(folder, { recursive: true }));

async function compare(after: string[]) {
  const [a, b] = [join(folder, 'before.csv'), join(folder, 'after.csv')];
  await writeFile(a, [HEAD, ...LINES, ''].join('\n'));
  await writeFile(b, [HEAD, ...after, ''].join('\n'));
  return compareResults(a, b);
}

test('versions and keys may differ', async () => {
  const raised = LINES.map((line) => line.replace(',1,', ',2,').replace(/[ab]{3}$/, 'ccc'));
  assert.equal(await compare(raised), { lines: 2, different: 0, examples: [] });
});

test('an option that the older code did not have may be there, a changed or a missing one not', async () => {
  const lineOf = (options: object) =>
    `steering,1,topk,score,0.25,aaa,"${JSON.stringify(options).replaceAll('"', '""')}"`;
  const [a, b] = [join(folder, 'before.csv'), join(folder, 'after.csv')];
  await writeFile(a, [`${HEAD},task_options`, lineOf({ n: 8 }), ''].join('\n'));
  const different = async (options: object) => {
    await writeFile(b, [`${HEAD},task_options`, lineOf(options), ''].join('\n'));
    return (await compareResults(a, b)).different;
  };
  assert.is(await different({ judge: 'dataset', n: 8 }), 0);
  assert.is(await different({ judge: 'dataset', n: 9 }), 1);
  assert.is(await different({ judge: 'dataset' }), 1);
});

test('the last digit of a number counts', async () => {
  const { different, examples } = await compare([LINES[0]!, LINES[1]!.replace('0.5', '0.5000000000000001')]);
  assert.is(different, 1);
  assert.match(examples[0]!, /line 3:[\s\S]*"value":"0.5"[\s\S]*"value":"0.5000000000000001"/);
});

test('what is measured on the machine may differ, its unit and its place may not', async () => {
  const [a, b] = [join(folder, 'before.csv'), join(folder, 'after.csv')];
  const head = `${HEAD},measured,ci95_low`;
  await writeFile(a, [head, 'efficiency,1,topk,speed,10,aaa,true,9', ''].join('\n'));
  await writeFile(b, [head, 'efficiency,1,topk,speed,20,aaa,true,18', ''].join('\n'));
  assert.is((await compareResults(a, b)).different, 0);
  await writeFile(b, [head, 'efficiency,1,pca,speed,20,aaa,true,18', ''].join('\n'));
  assert.is((await compareResults(a, b)).different, 1);
  await writeFile(b, [head, 'efficiency,1,topk,speed,20,aaa,false,18', ''].join('\n'));
  assert.is((await compareResults(a, b)).different, 1);
});

test('a line too few and lines in another order count', async () => {
  assert.is((await compare([LINES[0]!])).different, 1);
  assert.is((await compare([...LINES].reverse())).different, 2);
});

test.run();
