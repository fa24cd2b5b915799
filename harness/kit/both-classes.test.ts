/** @file What a concept needs is counted once and said in one way, and arrays are joined in one place. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { countClasses } from '../num/classes.ts';
import { joined } from '../num/join.ts';
import { requireBothClasses } from './both-classes.ts';

const test = suite('kit/both-classes');

test('classes are counted, by truth', () => {
  assert.equal(countClasses([1, 0, 0]), { positives: 1, negatives: 2, both: true });
  assert.equal(countClasses([true, true]), { positives: 2, negatives: 0, both: false });
  assert.equal(countClasses([]), { positives: 0, negatives: 0, both: false });
});

test('a concept without one of the classes is named, with who needs it and what was found', () => {
  assert.equal(requireBothClasses('m', { id: 'c' }, 'training', [0, 1]), { positives: 1, negatives: 1, both: true });
  for (const [labels, found] of [
    [[], '0 positives and 0 negatives'],
    [[0, 0], '0 positives and 2 negatives'],
    [[1], '1 positives and 0 negatives'],
  ] as const) {
    try {
      requireBothClasses('diffmean', { id: 'rain' }, 'held-out', labels);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, UserError);
      assert.is(
        (error as UserError).message,
        `diffmean: concept 'rain': expected held-out positives and negatives, found ${found}; remove the concept or give it examples`,
      );
    }
  }
});

test('arrays are joined in order, into a new one of the kind asked for', () => {
  const parts = [Float32Array.of(1, 2), new Float32Array(0), Float32Array.of(3)];
  const all = joined(Float32Array, parts);
  assert.equal(all, Float32Array.of(1, 2, 3));
  all[0] = 9;
  assert.is(parts[0]![0], 1);
  assert.equal(joined(Uint32Array, []), new Uint32Array(0));
});

test.run();
