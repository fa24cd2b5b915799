/** @file Rotary tables against hand-computed values. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rotary } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { createRotary, rotaryFrequencies } from './positions.ts';

const test = suite('models/subjects/positions');
test.before(async () => {
  await initBackend('cpu');
});

test('frequencies: theta^(−2i/d), divided by a linear factor', () => {
  assert.equal([...rotaryFrequencies(4, { theta: 100 })], [1, 0.1]);
  assert.equal([...rotaryFrequencies(4, { theta: 100, linearFactor: 4 })], [0.25, 0.025]);
});

test('llama3 scaling keeps short waves, slows long ones by the factor and blends between', () => {
  const llama3 = { factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalLength: 2 * Math.PI * 10 };
  // Turns within the original length are 10·frequency: 10, 2 and 0.4; the shares kept are 1, 1/3 and 0.
  const [short, middle, long] = rotaryFrequencies(6, { theta: 125, llama3 });
  assert.is(short, 1);
  assert.ok(Math.abs(middle! - (0.2 / 3 + (2 * 0.2) / 3 / 8)) < 1e-12);
  assert.ok(Math.abs(long! - 0.04 / 8) < 1e-12);
});

test('a quarter turn takes the first half of a vector to its second half', () => {
  const tables = createRotary(2, { theta: 10, linearFactor: 2 / Math.PI }).tables([1]);
  const turned = rotary(tf.tensor2d([[3, 5]]), tables, 1).dataSync();
  assert.ok(Math.abs(turned[0]! + 5) < 1e-6 && Math.abs(turned[1]! - 3) < 1e-6, `${turned}`);
});

test('tables are those of the positions asked for, whatever was asked before', () => {
  const rotaryOf4 = createRotary(4, { theta: 10 });
  for (const positions of [[2], [0, 700, 3], [5]]) {
    const { cos, sin } = rotaryOf4.tables(positions);
    const angles = positions.flatMap((p) => [p, p * 10 ** -0.5]);
    assert.equal(
      [...cos.dataSync()],
      angles.map((angle) => Math.fround(Math.cos(angle))),
    );
    assert.equal(
      [...sin.dataSync()],
      angles.map((angle) => Math.fround(Math.sin(angle))),
    );
  }
});

test.run();
