/** @file The wasm matrix products against float64 sums, over transposes, batches, broadcasts and empty sides. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initBackend } from '../backend.ts';
import { createRng } from '../rng.ts';
import { type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';

const test = suite('num/kernels/wasm-matmul');
test.before(async () => {
  await initBackend('wasm');
});

const rng = createRng(7);
const random = (shape: number[]): Tensor => {
  const size = shape.reduce((product, n) => product * n, 1);
  return tf.tensor(rng.fillNormal(new Float32Array(size)), shape);
};

/** The product by its definition; batch axes of `a`, with those of `b` equal or all 1. */
function expected(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): number[] {
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k, n] = [transposeA ? columnsA : rowsA, transposeA ? rowsA : columnsA, transposeB ? rowsB : columnsB];
  const [x, y] = [a.dataSync(), b.dataSync()];
  const batches = a.shape.slice(0, -2).reduce((product, size) => product * size, 1);
  const out: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const offsetA = batch * rowsA * columnsA;
    const offsetB = y.length > rowsB * columnsB ? batch * rowsB * columnsB : 0;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) {
          const left = x[offsetA + (transposeA ? l * columnsA + i : i * columnsA + l)]!;
          sum += left * y[offsetB + (transposeB ? j * columnsB + l : l * columnsB + j)]!;
        }
        out.push(sum);
      }
    }
  }
  return out;
}

const CASES: [string, number[], number[], boolean, boolean][] = [
  ['plain', [5, 7], [7, 3], false, false],
  ['right side transposed', [20, 30], [40, 30], false, true],
  ['left side transposed', [30, 20], [30, 40], true, false],
  ['both transposed', [30, 20], [40, 30], true, true],
  ['few rows', [2, 30], [40, 30], false, true],
  ['batch', [6, 20, 40], [6, 40, 30], false, false],
  ['batch, right side transposed', [6, 20, 40], [6, 30, 40], false, true],
  ['batch, left side transposed', [6, 40, 20], [6, 40, 30], true, false],
  ['two batch axes, both transposed', [2, 3, 40, 20], [2, 3, 30, 40], true, true],
  ['broadcast batch', [6, 20, 40], [1, 40, 30], false, false],
  ['small products in a batch', [6, 2, 3], [6, 3, 2], false, false],
  ['no rows', [0, 3], [4, 3], false, true],
];

for (const [name, shapeA, shapeB, transposeA, transposeB] of CASES) {
  test(name, () => {
    const [a, b] = [random(shapeA), random(shapeB)];
    const before = tf.memory();
    const product = tf.matMul(a, b, transposeA, transposeB);
    const wanted = expected(a, b, transposeA, transposeB);
    assert.is(product.size, wanted.length);
    product.dataSync().forEach((value, i) => {
      assert.ok(Math.abs(value - wanted[i]!) < 1e-4, `${name} [${i}]: ${value}, expected ${wanted[i]}`);
    });
    product.dispose();
    assert.equal([tf.memory().numTensors, tf.memory().numBytes], [before.numTensors, before.numBytes]);
    tf.dispose([a, b]);
  });
}

test('a bias is added after a transposed product, and an earlier right side is not reused', () => {
  const x = random([20, 30]) as Tensor2D;
  const bias = random([40]) as Tensor1D;
  for (let round = 0; round < 3; round++) {
    const w = random([40, 30]) as Tensor2D;
    const product = tf.fused.matMul({ a: x, b: w, transposeB: true, bias });
    const wanted = expected(x, w, false, true);
    const added = bias.dataSync();
    product.dataSync().forEach((value, i) => {
      assert.ok(Math.abs(value - wanted[i]! - added[i % 40]!) < 1e-4);
    });
    tf.dispose([w, product]);
  }
  tf.dispose([x, bias]);
});

test.run();
