/** @file Options of the training script: a slip is told of in one line, before anything is trained or written. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { trainOptions } from './train-options.ts';

const test = suite('tiny-lm-planted/train-options');

const refused = (...args: string[]): string => {
  try {
    trainOptions(args);
  } catch (error) {
    return String(error);
  }
  return 'taken';
};

test('the model as committed, and the three sizes beside it', () => {
  const tinyLm = { id: 'tiny-lm-planted', hidden: 128, layers: 6, steps: 3000, documents: 64, dtype: 'F32' };
  assert.equal(trainOptions([]), tinyLm);
  const size = '--id tiny-lm-d32 --hidden 32 --layers 4 --steps 900 --documents 16 --dtype F16'.split(' ');
  const small = { id: 'tiny-lm-d32', hidden: 32, layers: 4, steps: 900, documents: 16, dtype: 'F16' };
  assert.equal(trainOptions(size), small);
});

test('another dtype, a size without a name of its own, a name or number that is none: one line', () => {
  assert.is(refused('--dtype', 'f16'), "UserError: train: --dtype: expected F16 or F32; found 'f16'.");
  assert.is(
    refused('--hidden', '32'),
    'UserError: train: --id: expected the name of the new model, beside --hidden; found none.',
  );
  assert.match(refused('--layers', '4'), /beside --layers; found none\.$/);
  for (const id of ['', '../tiny-clip', 'a/b', '.']) assert.match(refused('--id', id), /--id: expected the name of a/);
  for (const value of ['0', '1.5', 'many', '']) {
    assert.match(refused('--steps', value), new RegExp(`--steps: expected a whole number from 1; found '${value}'`));
  }
});

test.run();
