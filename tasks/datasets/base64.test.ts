/** @file The dataset of base64: disjoint parts, exact labels, its judge, and its documents. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../../harness/testing/failing.ts';
import { judgeOn } from '../../harness/testing/task-tools.ts';
import datasetJudge from '../judges/dataset.ts';
import { base64Runs } from '../worlds/base64/runs.ts';
import base64 from './base64.ts';

const test = suite('tasks/datasets/base64');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-base64-'));
test.after(() => rmSync(folder, { recursive: true }));
const document = (i: number) =>
  `The boat number${i} went to harbour${i % 40} with cargo${i} and came home before the winter${i} began to freeze the river. It rested.`;
writeFileSync(join(folder, 'corpus.json'), JSON.stringify(Array.from({ length: 400 }, (_, i) => document(i))));
const open = { seed: 0, baseDir: folder };
const options = { corpusPath: 'corpus.json', texts: 300, train: 20, eval: 10 };

test('labels are exact, every item is a text of its own, in one split and in no corpus', async () => {
  const dataset = await base64.open(options, open);
  const { concepts, items, examples } = await dataset.concepts!({});
  assert.equal([concepts.length, items.length, examples.length], [1, 70, 70]);
  const has = ({ text }: { text?: string }) => base64Runs(text!).length > 0;
  for (const { item, role } of examples) assert.is(has(items[item]!), role === 'positive');
  const count = (split: string, role: string) =>
    examples.filter((each) => each.split === split && each.role === role).length;
  assert.equal(
    [
      count('train', 'positive'),
      count('train', 'negative'),
      count('eval', 'positive'),
      count('eval', 'negative'),
      count('eval', 'hard-negative'),
    ],
    [20, 20, 10, 10, 10],
  );
  assert.is((await dataset.concepts!({ perClass: 3 })).items.length, 15);
  const [train, held] = [await dataset.corpus('train', 10_000), await dataset.corpus('test', 10_000)];
  const all = [...train, ...held, ...items].map(({ text }) => text!);
  assert.is(new Set(all).size, all.length);
  const share = train.filter(has).length / train.length;
  assert.ok(share > 0.08 && share < 0.22, `a third of 300 among 400 documents: ${share}`);
  assert.ok(train.some(({ text }) => text!.startsWith('The boat')));
});

test('prompts are beginnings of the documents, none of which is in a corpus; without documents, of the texts made here', async () => {
  const dataset = await base64.open(options, open);
  const prompts = await dataset.prompts!(5);
  assert.is(prompts.length, 5);
  const train = new Set((await dataset.corpus('train', 10_000)).map(({ text }) => text!));
  for (const { text } of prompts)
    assert.ok(text.startsWith('The boat') && ![...train].some((each) => each.startsWith(text)), text);
  const alone = await base64.open({ ...options, corpusPath: undefined }, open);
  assert.is.not(alone.fingerprint, dataset.fingerprint);
  const texts = await alone.corpus('train', 10_000);
  assert.ok(texts.length > 200 && texts.every(({ text }) => !text!.startsWith('The boat')));
  const other = await base64.open({ ...options, corpusPath: undefined }, { ...open, seed: 1 });
  assert.is.not((await other.corpus('train', 1))[0]!.text, texts[0]!.text);
  assert.match(
    await refusal(() => base64.open({ ...options, corpusPath: 'none.json' }, open)),
    /there is no .*none\.json/,
  );
});

test('the judge: a run of base64 is the concept, shown or not; beside it whether the words of the prompt come again', async () => {
  const dataset = await base64.open(options, open);
  const { concepts } = await dataset.concepts!({});
  const judge = judgeOn(dataset, datasetJudge);
  const run = 'TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5';
  const prompt = { id: 'p', text: 'The boat went to the harbour.', topic: 'boat harbour' };
  const rate = async (texts: string[]) =>
    (await judge.rate(texts.map((text) => ({ text, concept: concepts[0]!, prompt })))).map(({ concept, instruct }) => [
      concept,
      instruct,
    ]);
  assert.equal(await rate([` It says ${run}.`, ' The harbour and its boat were far.', ` ${run.slice(0, 19)}`]), [
    [2, 0],
    [0, 2],
    [0, 0],
  ]);
});

test.run();
