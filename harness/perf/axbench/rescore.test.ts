/** @file AxBench's protocol by hand, and its released runs scored again: the same numbers to six digits. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../paths.ts';
import { firstBest, type Judged, meansByFactor, outcomes, overallOf, winRate } from './protocol.ts';
import { readDetection, readReleased, readSteering } from './released.ts';
import { axbenchRating } from './replies.ts';
import { rescore, scoreDetection, scoreSteering } from './rescore.ts';

const test = suite('perf/axbench');
const RUNS = join(packageRoot, '../shared/data/axbench-runs');
const data = existsSync(RUNS) ? test : test.skip;
if (!existsSync(RUNS)) console.log(`perf/axbench: no released runs at ${RUNS}: two tests are skipped`);

const judged = (input: number, factor: number, ...ratings: (number | null)[]): Judged => ({
  concept: 0,
  ...{ input, factor },
  ratings: ratings as unknown as Judged['ratings'],
});

test('a reply is read as AxBench reads it; what it takes for 0 is no rating', () => {
  const read = ['Good.\nRating: [[2]]', 'Rating: 0\nRating: [[1]].', '**Rating: 1.5**', 'Rating: "2"'].map(
    axbenchRating,
  );
  assert.equal(read, [2, 1, 1.5, 2]);
  for (const reply of ['', 'It is good.', 'Rating: high', 'Rating: 3', 'Rating: -1', 'Rating:', 'Rating: 1/2']) {
    assert.is(axbenchRating(reply), null, reply);
  }
});

test('overall: the harmonic mean, 0 if any is 0; a missing rating is missing, or 0 by name', () => {
  assert.is(overallOf(judged(0, 1, 2, 2, 2), 'missing'), 2);
  assert.ok(Math.abs(overallOf(judged(0, 1, 2, 1, 1), 'missing')! - 1.2) < 1e-12);
  assert.is(overallOf(judged(0, 1, 0, 2, 2), 'missing'), 0);
  assert.is(overallOf(judged(0, 1, null, 2, 2), 'missing'), null);
  assert.is(overallOf(judged(0, 1, null, 2, 2), 'zero'), 0);
});

test('the factor is the first best of instructions 0 to 4, the score that of the others at it', () => {
  const generations = [
    ...[judged(0, 1, 2, 2, 2), judged(4, 1, 0, 2, 2), judged(5, 1, 1, 1, 1), judged(9, 1, null, 2, 2)],
    ...[judged(0, 2, 1, 1, 1), judged(4, 2, 1, 1, 1), judged(5, 2, 2, 2, 2), judged(9, 2, 2, 2, 2)],
  ];
  const means = meansByFactor(
    generations.filter(({ input }) => input < 5),
    'missing',
  );
  assert.equal(means, [
    { factor: 1, overall: 1 },
    { factor: 2, overall: 1 },
  ]);
  assert.is(firstBest(means), 1, 'of equals the first');
  assert.equal(outcomes(generations, 'missing'), [{ concept: 0, factor: 1, overall: 1 }]);
  assert.equal(outcomes(generations, 'zero'), [{ concept: 0, factor: 1, overall: 0.5 }]);
  assert.is(firstBest([{ factor: 1, overall: null }]), undefined);
  const unrated = outcomes([judged(0, 1, null, 1, 1), judged(5, 1, 1, 1, 1)], 'missing');
  assert.equal(unrated, [{ concept: 0, factor: undefined, overall: null }]);
});

test('win rate: 1, a half for a tie, 0, over the concepts that both have', () => {
  const scores = (...values: (number | null)[]) => values.map((overall, concept) => ({ concept, factor: 1, overall }));
  assert.is(winRate(scores(1, 0.5, 0.2, null, 2), scores(0.5, 0.5, 0.4, 1)), 0.5);
  assert.is(winRate(scores(1, 1), scores(0.5, 1)), 0.75);
  assert.is(winRate(scores(null), scores(1)), null);
});

data('released AUROCs to six digits', async () => {
  const folder = join(RUNS, 'lsreft_addition');
  const [detection, released] = [await readDetection(folder), await readReleased(folder)];
  const scores = scoreDetection(detection!.rows, 'LsReFT', released);
  assert.is(scores.compared, 10);
  assert.ok(scores.difference! < 1e-6, String(scores.difference));
  const [line] = await rescore(join(RUNS, 'lsreft_20'), 'missing');
  assert.match(line!, /detection GemmaScopeSAE: mean AUROC 0\.768943 over 10 concepts; nothing released/);
});

data('released harmonic means to six digits, by concept and factor, and of each generation', async () => {
  const folder = join(RUNS, 'lsreft_addition');
  const [[run], released] = [await readSteering(folder), await readReleased(folder)];
  const scores = scoreSteering(run!, released, 'missing');
  assert.equal([scores.generations, scores.compared, scores.suppression], [1500, 10, true]);
  assert.ok(scores.difference! < 1e-6, String(scores.difference));
  for (const { ratings, overall } of run!.generations) {
    const turned = [2 - ratings[0]!, ratings[1], ratings[2]] as const;
    assert.ok(Math.abs(overallOf({ ratings: turned }, 'zero')! - overall) < 1e-6);
  }
});

test('a folder without a run has nothing to score', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-rescore-'));
  assert.equal(await rescore(folder, 'missing'), []);
  await rm(folder, { recursive: true });
});

test.run();
