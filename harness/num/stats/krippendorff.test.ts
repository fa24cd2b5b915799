import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { krippendorff, nominal } from './krippendorff.ts';

const test = suite('krippendorff');

/** Krippendorff 2011, part C: four observers, twelve units, categories 1 to 5; 0 is missing. */
const OBSERVERS = [
  [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
  [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
  [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
  [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
];
const UNITS = OBSERVERS[0]!.map((_, u) => OBSERVERS.map((ratings) => ratings[u]!).filter((rating) => rating > 0));
const alone = UNITS.map((_, u) => u);

test('the published example: .743 nominal, .849 interval', () => {
  assert.is(krippendorff(UNITS, alone, createRng(0))!.value.toFixed(3), '0.743');
  assert.is(krippendorff(UNITS, alone, createRng(0), (a, b) => (a - b) ** 2)!.value.toFixed(3), '0.849');
});

/** Units of two raters. */
const BY_HAND = [
  [0, 1],
  [0, 0],
  [1, 1],
];

test('two raters by hand: units ab, aa, bb, so that 1 of 3 pairs differs and 3 of 5 would by chance', () => {
  const found = krippendorff(BY_HAND, [0, 1, 2], createRng(1))!;
  assert.ok(Math.abs(found.value - (1 - 1 / 3 / (3 / 5))) < 1e-12, String(found.value));
  assert.is(found.n, 3);
});

test('agreement is 1, ratings that are all equal say nothing, units of one rating count for nothing', () => {
  assert.is(
    krippendorff(
      [
        [0, 0],
        [1, 1],
      ],
      [0, 1],
      createRng(1),
    )!.value,
    1,
  );
  assert.is(
    krippendorff(
      [
        [2, 2],
        [2, 2],
      ],
      [0, 1],
      createRng(1),
    ),
    null,
  );
  assert.is(krippendorff([], [], createRng(1)), null);
  const some = krippendorff(BY_HAND, [0, 1, 2], createRng(1))!;
  const more = krippendorff([[0, 1], [1], [0, 0], [], [1, 1]], [0, 7, 1, 8, 2], createRng(1))!;
  assert.equal(more, some);
});

test('the interval holds the value, is the same for a seed, and is wider where units of one thing hang together', () => {
  const rng = createRng('units');
  const units = Array.from({ length: 60 }, () => {
    const right = rng.int(3);
    return Array.from({ length: 3 }, () => (rng.uniform() < 0.6 ? right : rng.int(3)));
  });
  const each = krippendorff(
    units,
    units.map((_, i) => i),
    createRng(5),
    nominal,
  )!;
  const [low, high] = each.ci!;
  assert.ok(low < each.value && each.value < high && high - low < 0.4);
  assert.equal(
    krippendorff(
      units,
      units.map((_, i) => i),
      createRng(5),
    ),
    each,
  );
  const few = krippendorff(
    units,
    units.map((_, i) => Math.floor(i / 20)),
    createRng(5),
  )!;
  assert.is(few.value, each.value);
  assert.is(few.n, 3);
});

test.run();
