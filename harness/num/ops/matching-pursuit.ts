/** @file Matching pursuit: greedy codes of a dictionary of directions, without an encoder. */
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { untracked } from './stop-gradient.ts';
import { largestEntries } from './topk-encode.ts';
import type { TopkCodes } from './topk-sparse.ts';

export interface PursuitOptions {
  /** Atoms that each input chooses, one after the other. */
  steps: number;
  /** An input whose residual is shorter than this chooses no more. Default 0: never. */
  residualThreshold?: number;
  /** An input that chooses an atom again chooses no more after it. Default false. */
  stopOnDuplicate?: boolean;
}

/** Column of each row's first entry with the same index, [n, k] row by row, and whether any entry is not its own first. */
function firstColumns(indices: Int32Array, n: number, k: number): { columns: Int32Array; repeated: boolean } {
  const columns = new Int32Array(n * k);
  let repeated = false;
  for (let row = 0; row < n; row++) {
    const first = new Map<number, number>();
    for (let t = 0; t < k; t++) {
      const index = indices[row * k + t]!;
      const column = first.get(index);
      if (column === undefined) first.set(index, t);
      else repeated = true;
      columns[row * k + t] = column ?? t;
    }
  }
  return { columns, repeated };
}

/** What an input chose twice or more stands in the first place that it has, and 0 in the others. */
function merged({ indices, values }: TopkCodes): TopkCodes {
  const [n, k] = values.shape;
  const { columns, repeated } = firstColumns(indices.dataSync() as Int32Array, n, k);
  if (!repeated) return { indices, values };
  const places = tf.tensor1d(
    columns.map((column, at) => Math.floor(at / k) * k + column),
    'int32',
  );
  const sums = tf.unsortedSegmentSum(tf.reshape(values, [n * k]), places, n * k);
  return { indices, values: tf.reshape(sums, [n, k]) };
}

/** 1 for each input that goes on after a step, else 0; undefined when none does. */
function goingOn(
  before: Float32Array,
  chosen: readonly Int32Array[],
  residual: Tensor2D,
  { residualThreshold = 0, stopOnDuplicate = false }: PursuitOptions,
): Float32Array | undefined {
  const norms = residualThreshold > 0 ? (tf.tidy(() => tf.norm(residual, 2, 1)).dataSync() as Float32Array) : undefined;
  const last = chosen.at(-1)!;
  const going = before.map((goes, row) => {
    const again = stopOnDuplicate && chosen.slice(0, -1).some((earlier) => earlier[row] === last[row]);
    return again || (norms && norms[row]! < residualThreshold) ? 0 : goes;
  });
  return going.includes(1) ? going : undefined;
}

/**
 * `steps` times: the atom with the largest product with the residual, of which ReLU(product) is taken away. The choice is
 * constant; gradients flow through the products and the residuals to x and W_dec, as in the original.
 *
 * @param x [n, d]
 * @param W_dec [d_sae, d]; where its rows have unit length the residual is orthogonal to the atom just chosen
 * @returns [n, steps], or fewer columns where all inputs have stopped; an atom chosen again has one entry, the sum.
 */
export function matchingPursuit(x: Tensor2D, W_dec: Tensor2D, options: PursuitOptions): TopkCodes {
  const n = x.shape[0];
  const stops = (options.residualThreshold ?? 0) > 0 || options.stopOnDuplicate === true;
  const W_enc = untracked(() => tf.transpose(W_dec) as Tensor2D);
  const bias = tf.zeros([W_dec.shape[0]]) as Tensor1D;
  let going: Float32Array | undefined = new Float32Array(n).fill(1);
  const chosen: Int32Array[] = [];
  const columns: TopkCodes[] = [];
  let residual = x;
  for (let step = 0; going && step < options.steps; step++) {
    const from = residual;
    const indices = untracked(() => largestEntries(from, W_enc, bias, 1).indices);
    const atoms = tf.gather(W_dec, tf.reshape(indices, [n])) as Tensor2D;
    const products = tf.relu(tf.sum(tf.mul(residual, atoms), 1, true)) as Tensor2D;
    const values = stops ? (tf.mul(products, tf.tensor2d(going, [n, 1])) as Tensor2D) : products;
    columns.push({ indices, values });
    residual = tf.sub(residual, tf.mul(values, atoms)) as Tensor2D;
    if (!stops) continue;
    chosen.push(indices.dataSync() as Int32Array);
    // A new array each time: tensors keep those that they were made of, for the gradients.
    going = goingOn(going, chosen, residual, options);
  }
  return merged({
    indices: tf.concat(
      columns.map(({ indices }) => indices),
      1,
    ),
    values: tf.concat(
      columns.map(({ values }) => values),
      1,
    ),
  });
}
