/** @file Properties of the random streams: reproducible, order-free forks, right distributions, exact resume. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { philox4x32 } from './philox.ts';
import { createRng, rngFromState } from './rng.ts';

const test = suite('rng');

test('a seed fixes every number; a number and its text are one seed', () => {
  const draw = (seed: number | string) => Array.from({ length: 8 }, createRng(seed).uniform);
  assert.equal(draw(7), draw(7));
  assert.equal(draw(7), draw('7'));
  assert.not.equal(draw(7), draw(8));
});

test('a stream is philox over its counter', () => {
  const rng = createRng('counter');
  const key = Uint32Array.from(rng.state().key);
  const words = new Uint32Array(4);
  philox4x32(Uint32Array.of(0, 0, 0, 0), key, words);
  const expected = ((words[0]! >>> 5) * 2 ** 26 + (words[1]! >>> 6)) / 2 ** 53;
  assert.is(rng.uniform(), expected);
});

test('forks do not depend on the order of calls and differ from each other', () => {
  const a = createRng(1);
  const b = createRng(1);
  for (let i = 0; i < 11; i++) b.uniform();
  b.fork('other').uniform();
  assert.is(a.fork('x').uniform(), b.fork('x').uniform());
  const first = ['x', 'y', 0, 1].map((label) => createRng(1).fork(label).uniform());
  assert.is(new Set(first).size, 4);
  assert.is.not(createRng(1).fork('x').fork('y').uniform(), createRng(1).fork('y').fork('x').uniform());
});

test('state resumes at the very next number, at any position', () => {
  for (let skip = 0; skip < 9; skip++) {
    const rng = createRng('resume');
    for (let i = 0; i < skip; i++) rng.int(10);
    const resumed = rngFromState(JSON.parse(JSON.stringify(rng.state())));
    assert.is(resumed.normal(), rng.normal());
    assert.equal(resumed.permutation(9), rng.permutation(9));
    assert.is(resumed.fork('a').uniform(), rng.fork('a').uniform());
  }
});

test('uniform and normal have their moments', () => {
  const rng = createRng(3);
  const n = 20000;
  let [sum, squares, normalSum, normalSquares, normalFourths] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const u = rng.uniform();
    assert.ok(u >= 0 && u < 1);
    sum += u;
    squares += u * u;
    const z = rng.normal();
    normalSum += z;
    normalSquares += z * z;
    normalFourths += z ** 4;
  }
  // Five standard errors each.
  assert.ok(Math.abs(sum / n - 1 / 2) < 5 * Math.sqrt(1 / 12 / n));
  assert.ok(Math.abs(squares / n - 1 / 3) < 5 * Math.sqrt(4 / 45 / n));
  assert.ok(Math.abs(normalSum / n) < 5 / Math.sqrt(n));
  assert.ok(Math.abs(normalSquares / n - 1) < 5 * Math.sqrt(2 / n));
  assert.ok(Math.abs(normalFourths / n - 3) < 5 * Math.sqrt(96 / n));
});

test('fills match their distribution and odd lengths', () => {
  const rng = createRng(4);
  const normal = rng.fillNormal(new Float32Array(10001), 2, 3);
  const mean = normal.reduce((a, b) => a + b, 0) / normal.length;
  const variance = normal.reduce((a, b) => a + (b - mean) ** 2, 0) / normal.length;
  assert.ok(Math.abs(mean - 2) < 0.15 && Math.abs(variance - 9) < 0.6);
  assert.is.not(normal[10000], 0);
  assert.ok(rng.fillUniform(new Float32Array(1000)).every((u) => u >= 0 && u < 1));
});

test('int covers its range evenly and refuses a bad one', () => {
  const rng = createRng(5);
  const counts = new Array(6).fill(0);
  for (let i = 0; i < 12000; i++) counts[rng.int(6)]++;
  const chiSquare = counts.reduce((total, count) => total + (count - 2000) ** 2 / 2000, 0);
  assert.ok(chiSquare < 25, `chi-square ${chiSquare} with 5 degrees of freedom`);
  assert.is(rng.int(1), 0);
  for (const bad of [0, -1, 1.5, 2 ** 33, Number.NaN]) assert.throws(() => rng.int(bad), /2\^32/);
});

test('many integers at once are those drawn one by one', () => {
  // The last n makes about every other word be drawn again.
  for (const [n, start] of [
    [512, 0],
    [300, 3],
    [2 ** 31 + 1, 6],
  ] as const) {
    for (const count of [1, 7, 5000]) {
      const [many, single] = [createRng('many'), createRng('many')];
      for (let i = 0; i < start; i++) assert.is(many.int(9), single.int(9));
      assert.equal(
        [...many.fillInt(new Uint32Array(count), n)],
        Array.from({ length: count }, () => single.int(n)),
      );
      assert.equal(many.state(), single.state());
      assert.is(many.uniform(), single.uniform());
    }
  }
});

test('permutation, shuffle and sample keep their elements', () => {
  const rng = createRng(6);
  assert.equal(
    [...rng.permutation(50)].sort((a, b) => a - b),
    [...Array(50).keys()],
  );
  assert.equal(rng.shuffle(['a', 'b', 'c']).sort(), ['a', 'b', 'c']);
  const drawn = rng.sample(1e9, 100);
  assert.is(new Set(drawn).size, 100);
  assert.equal([...rng.sample(5, 5)].sort(), [0, 1, 2, 3, 4]);
  assert.is(rng.sample(5, 0).length, 0);
  assert.throws(() => rng.sample(3, 4), /cannot draw/);
});

test('every permutation of three is equally likely', () => {
  const rng = createRng(8);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = rng.permutation(3).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.is(counts.size, 6);
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(1000 * (5 / 6)));
});

test('weighted draws in proportion and never a zero weight', () => {
  const rng = createRng(9);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 8000; i++) counts[rng.weighted([1, 0, 3, 0])]!++;
  assert.is(counts[1]! + counts[3]!, 0);
  assert.ok(Math.abs(counts[0]! - 2000) < 5 * Math.sqrt(8000 * 0.25 * 0.75));
  for (const bad of [[], [0, 0], [-1, 2], [Number.NaN], [Infinity]]) {
    assert.throws(() => rng.weighted(bad), /rng.weighted/);
  }
  assert.throws(() => rng.choice([]), /nothing to choose/);
});

test.run();
