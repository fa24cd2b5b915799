/** @file What the committed reference results must be. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../harness/paths.ts';
import { sealed } from '../harness/results.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { rejection } from '../harness/testing/failing.ts';
import { withoutPlaces } from './kept.ts';
import { referenceResults } from './reference-lines.ts';
import { realResult } from './testing/results.ts';

const test = suite('reports/reference');

const result = realResult('relu', 'concept-detection');
const lines = (...results: Result[]) => results.map((each) => `${JSON.stringify(sealed(each))}\n`).join('');
const refused = async (...results: Result[]) =>
  (await rejection(referenceResults('real', lines(...results), 'reports/results/real.jsonl'))).message;
const own: Result = { ...result, suite: { id: 'real', title: 'Real' } };

test('a reference file holds results of its suite alone, of whole runs, once and under one protocol', async () => {
  assert.is((await referenceResults('real', lines(own), 'reports/results/real.jsonl')).length, 1);
  assert.match(
    await refused(own, result),
    /results\/real\.jsonl line 2: expected a result of the whole suite real; found one of small\.$/,
  );
  assert.match(
    await refused({ ...own, limited: true }),
    /line 1: expected .* suite real; found one of real, limited\.$/,
  );
  assert.match(await refused(own, own), /repeats/);
  const { dataset, method } = own;
  const other = { ...own, seed: 1, dataset: { ...dataset, trainRows: dataset.trainRows + 1 } };
  assert.match(await refused(own, other), /real\.jsonl: holds results under different options, relu/);
  const version = { ...own, seed: 1, method: { ...method, version: method.version + 1 } };
  assert.match(await refused(own, version), /real\.jsonl: holds results under different options, relu/);
});

test('a reference file says nothing of the machine', () => {
  const options = {
    corpus: [{ path: join(packageRoot, '../shared/data/a.txt') }],
    other: '/home/me/b.csv',
    n: 3,
    none: null,
  };
  assert.equal(withoutPlaces({ id: 'natural-text', options }), {
    id: 'natural-text',
    options: { corpus: [{ path: '../shared/data/a.txt' }], other: 'b.csv', n: 3, none: null },
  });
});

test.run();
