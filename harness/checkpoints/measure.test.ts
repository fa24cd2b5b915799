/** @file The line of a checkpoint on its rows, and the mark where b_dec treated the other way does better. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initBackend } from '../num/backend.ts';
import { memoryActivations } from '../testing/activations.ts';
import { type Checkpoint, formOf } from './form.ts';
import { measureCheckpoint } from './measure.ts';
import { checkpointMethod } from './method.ts';

const test = suite('measure checkpoint');
test.before(async () => {
  await initBackend('cpu');
});

const CENTRE = [3, -2];

/** Rows on one of the axes, from CENTRE on: what a dictionary of the two axes reconstructs whole once they are centred. */
const activations = memoryActivations(
  Array.from({ length: 40 }, (_, i) => [
    [CENTRE[0]! + (i % 2 ? 0 : 1 + (i % 7)), CENTRE[1]! + (i % 2 ? 1 + (i % 5) : 0)],
  ]),
);

function checkpoint(centred: boolean, b_dec: number[], more: Partial<Checkpoint['config']['form']> = {}): Checkpoint {
  const axes = { shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) };
  return {
    config: { architecture: 'topk', d_in: 2, d_sae: 2, d_out: 2, k: 1, form: formOf('topk', { centred, ...more }) },
    tensors: {
      W_enc: axes,
      W_dec: axes,
      b_enc: { shape: [2], data: new Float32Array(2) },
      b_dec: { shape: [2], data: Float32Array.from(b_dec) },
    },
  };
}

async function measured(read: Checkpoint) {
  const method = checkpointMethod(read);
  try {
    return await measureCheckpoint(method, { train: activations, target: undefined }, read.config, 0, read);
  } finally {
    method.dispose();
  }
}

test('b_dec treated the other way than in training is told, and only that', async () => {
  const right = await measured(checkpoint(true, CENTRE));
  assert.match(right.line, /^on 40 training rows: cosine 1\.000, explained variance 1\.000, L0 1$/);
  assert.equal(right.marks, []);
  const wrong = await measured(checkpoint(false, CENTRE));
  const mark = wrong.marks.find(({ code }) => code === 'checkpoint-centring');
  assert.match(
    mark?.message ?? '',
    /^explained variance -?\d\.\d{3} on .*, and 1\.000 were b_dec subtracted from the input: .*\(apply_b_dec_to_input=true\)$/,
  );
  // No question without b_dec, nor where rows are scaled before it.
  const plain = checkpoint(false, [0, 0]);
  assert.is(
    (await measured(plain)).marks.some(({ code }) => code === 'checkpoint-centring'),
    false,
  );
  const scaled = await measured(checkpoint(false, CENTRE, { rows: 'layer_norm' }));
  assert.is(
    scaled.marks.some(({ code }) => code === 'checkpoint-centring'),
    false,
  );
});

test.run();
