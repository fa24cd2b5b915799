/** @file The order of several arrays without a manifest: that of their numbers, or refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { partsInOrder } from './import-order.ts';

const test = suite('import order');

const numbered = (from: number, to: number, name: (i: number) => string) =>
  Array.from({ length: to - from + 1 }, (_, i) => name(from + i));

test('numbers are ordered as numbers, padded or not, from 0 or 1', () => {
  for (const name of [
    (i: number) => `part_${i}.npy`,
    (i: number) => `part_${String(i).padStart(2, '0')}.npy`,
    (i: number) => `layer12-${i}.safetensors`,
    (i: number) => `${i}.npy`,
  ]) {
    for (const from of [0, 1]) {
      const right = numbered(from, from + 11, name);
      assert.equal(partsInOrder('/x', [...right].sort()), right);
    }
  }
  const shards = numbered(1, 3, (i) => `shard-0000${i}-of-00003.npy`);
  assert.equal(partsInOrder('/x', shards), shards);
  assert.equal(partsInOrder('/x', ['acts.npy']), ['acts.npy']);
});

const refused: [string, string[], RegExp][] = [
  ['a missing number', ['part_0.npy', 'part_1.npy', 'part_3.npy'], /there is none with the number 2/],
  ['missing first numbers', ['part_5.npy', 'part_6.npy'], /the first number is 5/],
  [
    'one number in two spellings',
    ['part_1.npy', 'part_01.npy', 'part_2.npy'],
    /part_0?1.npy and part_0?1.npy have the same/,
  ],
  ['mixed prefixes', ['a_0.npy', 'b_1.npy'], /the names differ in more than a number/],
  ['no numbers', ['cats.npy', 'dogs.npy'], /the names differ in more than a number/],
  ['two number columns', ['run0_part0.npy', 'run0_part1.npy', 'run1_part0.npy'], /the names differ in two numbers/],
  ['train and test', ['test.npy', 'train.npy'], /some name a split \(a split is told by "split"/],
  ['train and test with numbers', ['train_0.npy', 'train_1.npy', 'test_0.npy'], /some name a split/],
  ['two kinds', ['part_0.npy', 'part_1.safetensors'], /the names differ in more than a number/],
  ['fewer than the names say', ['s-1-of-3.npy', 's-2-of-3.npy'], /the names say 3, there are 2/],
];

for (const [what, names, pattern] of refused) {
  test(`${what}: refused in one line that names the files and the mend`, () => {
    assert.throws(
      () => partsInOrder('/dump', names),
      (error: Error) => {
        assert.instance(error, UserError);
        assert.match(error.message, pattern);
        assert.ok(!error.message.includes('\n') && names.every((name) => error.message.includes(name)));
        return error.message.includes('write activations.json with those that belong together in order: {"files":[');
      },
    );
  });
}

test('a message lists a few of many files', () => {
  const names = numbered(0, 5000, (i) => `part_${2 * i}.npy`);
  assert.throws(
    () => partsInOrder('/dump', names),
    (error: Error) => error.message.length < 500 && /and 4995 more/.test(error.message),
  );
});

test.run();
