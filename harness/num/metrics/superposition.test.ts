/** @file Feature dimensionalities of the regular solids that toy models of superposition find. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { featureDimensionality } from './superposition.ts';

const test = suite('feature dimensionality');

const polygon = (n: number) =>
  Array.from({ length: n }, (_, i) => [Math.cos((2 * Math.PI * i) / n), Math.sin((2 * Math.PI * i) / n)]).flat();
const all = (rows: number[], d: number, expected: number) => {
  for (const value of featureDimensionality(rows, d)) assert.ok(Math.abs(value - expected) < 1e-12, `${value}`);
};

test('1, 3/4, 2/3, 1/2, 2/5 and 3/8 of their solids', () => {
  all([1, 0, 0, 1], 2, 1);
  all([1, 1, 1, 1, -1, -1, -1, 1, -1, -1, -1, 1], 3, 3 / 4);
  all(polygon(3), 2, 2 / 3);
  all(polygon(4), 2, 1 / 2);
  all(polygon(5), 2, 2 / 5);
  // The square antiprism with vectors of one length whose sum of projections is the same in all directions.
  const up = polygon(4);
  const height = Math.SQRT1_2;
  const turned = [1, 1, -1, 1, -1, -1, 1, -1].map((value) => value * Math.SQRT1_2);
  const antiprism = [0, 1, 2, 3].flatMap((i) => [up[2 * i]!, up[2 * i + 1]!, height]);
  antiprism.push(...[0, 1, 2, 3].flatMap((i) => [turned[2 * i]!, turned[2 * i + 1]!, -height]));
  all(antiprism, 3, 3 / 8);
});

test('lengths count, an absent feature has none, and the sum of a tight frame is its rank', () => {
  assert.equal([...featureDimensionality([2, 0, 0, 3], 2)], [1, 1]);
  assert.is(featureDimensionality([1, 0, 1e-4, 0], 2)[1], 0);
  // By hand: 1 / (1 + .64) and .64² / (.64² + .64) for collinear rows of lengths 1 and .8.
  const [long, short] = featureDimensionality([1, 0, 0.8, 0], 2);
  assert.ok(Math.abs(long! - 1 / 1.64) < 1e-12 && Math.abs(short! - 0.64 / 1.64) < 1e-12);
  assert.throws(() => featureDimensionality([1, 2, 3], 2), RangeError);
});

test.run();
