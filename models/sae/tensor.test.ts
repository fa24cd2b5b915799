/** @file Tensor-SAE: published counts of parameters and operations, what it refuses. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SaeDefinition, SaeShape } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { tf } from '../../harness/num/tf.ts';
import { checkShape } from '../../harness/train/options.ts';
import tensor from './tensor.ts';
import topk from './topk.ts';

const test = suite('tensor sae');
test.before(async () => {
  await initBackend('wasm');
});

const shapeOf = (input: number[] | undefined, d_sae: number, d_in = 3072): SaeShape => ({
  ...{ d_in, d_sae, d_out: d_in },
  ...(input && { input }),
});
const hp = { k: 16 as number | null, lambda: 0.3, deadBias: 0 };

const parametersOf = (definition: unknown, shape: SaeShape, options: object) =>
  tf.tidy(() => {
    const sample = tf.ones([2, shape.d_in]) as ReturnType<typeof tf.tensor2d>;
    const env = { rng: createRng(0), sample, targetSample: sample };
    const { params } = (definition as SaeDefinition).init(shape, options as never, env);
    return Object.values(params).reduce((sum, param) => sum + param.size, 0);
  });

test('parameters at CIFAR’s size, as published, and those of the dense SAE matched to them', () => {
  for (const [atoms, expected, dense, matched] of [
    [1024, 3_218_432, 523, 3_216_907],
    [2048, 6_433_792, 1046, undefined],
    [4096, 12_864_512, 2093, 12_864_557],
  ] as const) {
    assert.is(parametersOf(tensor, shapeOf([3, 32, 32], atoms), hp), expected);
    const own = parametersOf(topk, shapeOf(undefined, dense), { k: 16 });
    if (matched !== undefined) assert.is(own, matched);
    assert.ok(Math.abs(own / expected - 1) < 1e-3);
  }
});

test('multiply-accumulates: the active atoms, or all of them by their factors', () => {
  const shape = shapeOf([3, 32, 32], 1024);
  assert.equal(tensor.macs!(shape, hp), { encode: 3072 * 1024, decode: 16 * 3072 });
  assert.equal(tensor.macs!(shape, { ...hp, k: null }), { encode: 3072 * 1024, decode: 1024 * (3 + 3072) });
});

test('rows that are no images, and options out of range: one line', () => {
  const refused = (shape: SaeShape, options: object = {}) => {
    try {
      checkShape(tensor, shape, { ...hp, ...options });
    } catch (error) {
      return (error as Error).message;
    }
    return 'it passed';
  };
  assert.is(
    refused(shapeOf(undefined, 8, 64)),
    'sae tensor: shape.input: expected images [C, H, W], found vectors of 64 numbers without a shape; choose a site of images, as those of the dataset pixels.',
  );
  assert.match(refused(shapeOf([64], 8, 64)), /expected images \[C, H, W\], found \[64\];/);
  assert.match(refused(shapeOf([4, 4, 4], 8, 64)), /^sae tensor: k: .*from 1 to d_sae = 8, found 16;/);
  assert.is(refused(shapeOf([4, 4, 4], 8, 64), { k: null }), 'it passed');
});

test.run();
