/** @file Active dimensions: zeros are inactive; without any, two classes of ln|f|. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { activeDimensions } from './active-dimensions.ts';

const test = suite('active dimensions');

test('of a code with zeros all others are active, however small', () => {
  assert.equal(activeDimensions([0, 1e-9, -3, 0]), [1, 2]);
  assert.equal(activeDimensions([0, 0, 0]), []);
  assert.equal(activeDimensions([0.5]), [0]);
  assert.equal(activeDimensions([]), []);
});

test('without zeros the larger class, whatever the signs and the order', () => {
  assert.equal(activeDimensions([1, 1e-4, -2, -2e-4, 3e-4]), [0, 2]);
  assert.equal(activeDimensions([1e-8, 5]), [1]);
  assert.equal(activeDimensions([1, 1, 5]), [2]);
  assert.equal(activeDimensions([2, -2, 2]), [0, 1, 2], 'equal ones are one class');
});

test('the split is the best of all, by trying them', () => {
  const rng = createRng('splits');
  for (let n = 2; n < 40; n++) {
    const code = rng.fillNormal(new Float32Array(n)).map((value) => value ** 3);
    const sorted = [...code].map((value) => Math.log(Math.abs(value))).sort((a, b) => a - b);
    const spread = (part: number[]) => {
      const mean = part.reduce((a, b) => a + b, 0) / part.length;
      return part.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    };
    const costs = sorted.slice(1).map((_, i) => spread(sorted.slice(0, i + 1)) + spread(sorted.slice(i + 1)));
    const split = costs.indexOf(Math.min(...costs)) + 1;
    assert.is(activeDimensions(code).length, n - split);
  }
});

test.run();
