/** @file Draws an index of each row in proportion to its weights, the same one on every backend. */
import { hasKernel, runKernel } from '../kernels/own.ts';
import { type Tensor2D, tf } from '../tf.ts';

/**
 * One of `ids` (of all indices when omitted) in proportion to its weight, by the uniform number `u` in [0, 1). Sums in
 * float64, in order.
 */
export function drawIndex(weights: Float32Array, u: number, ids?: Int32Array): number {
  const count = ids?.length ?? weights.length;
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[ids ? ids[i]! : i]!;
  let left = u * total;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const id = ids ? ids[i]! : i;
    if (weights[id] === 0) continue;
    last = id;
    left -= weights[id]!;
    if (left < 0) return id;
  }
  // Rounding can leave a remainder after the last positive weight.
  return last;
}

/** An index for each row of weights [rows, n], by one uniform number a row. */
export function drawRows(weights: Tensor2D, u: Float64Array): Int32Array {
  const [rows, n] = weights.shape;
  if (u.length !== rows) throw new Error(`drawRows: ${rows} rows of weights, ${u.length} numbers`);
  if (hasKernel('SaxDraw') && n > 0) {
    const halves = tf.tensor1d(new Int32Array(u.buffer, u.byteOffset, 2 * rows), 'int32');
    const drawn = runKernel('SaxDraw', { weights, u: halves });
    const ids = drawn.dataSync() as Int32Array;
    tf.dispose([halves, drawn]);
    return ids;
  }
  const values = weights.dataSync() as Float32Array;
  return Int32Array.from(u, (each, row) => drawIndex(values.subarray(row * n, (row + 1) * n), each));
}
