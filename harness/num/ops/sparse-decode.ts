/** @file Decoding of k-sparse codes from the non-zeros only, with gradients. */

import { hasKernel, runKernel, runKernels } from '../kernels/own.ts';
import { SPARSE_DECODE, SPARSE_DECODE_GRAD_DECODER, SPARSE_DECODE_GRAD_VALUES } from '../kernels/sparse-decode.ts';
import { laterWhereAllowed } from '../kernels/unmade.ts';
import { type Tensor1D, type Tensor2D, type Tensor3D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

/** Rows of the decoder gathered at a time where the backend has no kernel: bounds [rows, k, d_in] floats to 64 MiB. */
const GATHERED_FLOATS = 2 ** 24;

/** [rows, k, d_in]: the decoder rows that the codes point at. */
function gatherAtoms(W_dec: Tensor2D, indices: Tensor2D): Tensor3D {
  const [rows, k] = indices.shape;
  return tf.reshape(tf.gather(W_dec, tf.reshape(indices, [rows * k]) as Tensor1D), [rows, k, W_dec.shape[1]]);
}

/** Runs `compute` on slices of rows and stacks the results, so that the gathered atoms stay within bounds. */
function byRows(n: number, rowFloats: number, compute: (start: number, rows: number) => Tensor2D): Tensor2D {
  const step = Math.max(1, Math.floor(GATHERED_FLOATS / Math.max(1, rowFloats)));
  if (step >= n) return compute(0, n);
  const parts: Tensor2D[] = [];
  for (let start = 0; start < n; start += step) parts.push(tf.tidy(() => compute(start, Math.min(step, n - start))));
  return tf.concat(parts, 0);
}

/** Σ_j values[:, j] · W_dec[indices[:, j]], off the tape. */
export function decodeSparse(values: Tensor2D, indices: Tensor2D, W_dec: Tensor2D): Tensor2D {
  if (hasKernel(SPARSE_DECODE)) return runKernel(SPARSE_DECODE, { values, indices, W_dec });
  const [n, k] = values.shape;
  return byRows(n, k * W_dec.shape[1], (start, rows) => {
    const atoms = gatherAtoms(W_dec, tf.slice(indices, [start, 0], [rows, k]));
    const weights = tf.reshape(tf.slice(values, [start, 0], [rows, k]), [rows, 1, k]);
    return tf.squeeze(tf.matMul(weights, atoms), [1]);
  });
}

/** With `codes`, only those that are not 0 are sure to get theirs. */
function gradValues(dy: Tensor2D, indices: Tensor2D, W_dec: Tensor2D, codes?: Tensor2D): Tensor2D {
  if (hasKernel(SPARSE_DECODE_GRAD_VALUES)) {
    return runKernel(SPARSE_DECODE_GRAD_VALUES, { dy, indices, W_dec, ...(codes && { codes }) });
  }
  const [n, k] = indices.shape;
  const d_in = W_dec.shape[1];
  return byRows(n, k * d_in, (start, rows) => {
    const atoms = gatherAtoms(W_dec, tf.slice(indices, [start, 0], [rows, k]));
    const upstream = tf.reshape(tf.slice(dy, [start, 0], [rows, d_in]), [rows, d_in, 1]);
    return tf.squeeze(tf.matMul(atoms, upstream), [2]);
  });
}

/** Σ over (i, j) with indices[i, j] = f of values[i, j] · dy[i], as row f of [d_sae, d_in]. */
export function gradDecoder(dy: Tensor2D, values: Tensor2D, indices: Tensor2D, d_sae: number): Tensor2D {
  if (hasKernel(SPARSE_DECODE_GRAD_DECODER)) {
    return runKernel(SPARSE_DECODE_GRAD_DECODER, { dy, values, indices }, { d_sae });
  }
  const [n, k] = values.shape;
  const d_in = dy.shape[1];
  const step = Math.max(1, Math.floor(GATHERED_FLOATS / (k * d_in)));
  let total: Tensor2D = tf.zeros([d_sae, d_in]);
  for (let start = 0; start < n; start += step) {
    const rows = Math.min(step, n - start);
    const previous = total;
    total = tf.tidy(() => {
      const weights = tf.reshape(tf.slice(values, [start, 0], [rows, k]), [rows, k, 1]);
      const upstream = tf.reshape(tf.slice(dy, [start, 0], [rows, d_in]), [rows, 1, d_in]);
      const contributions = tf.reshape(tf.mul(weights, upstream), [rows * k, d_in]);
      const ids = tf.reshape(tf.slice(indices, [start, 0], [rows, k]), [rows * k]) as Tensor1D;
      return tf.add(previous, tf.unsortedSegmentSum(contributions, ids, d_sae)) as Tensor2D;
    });
    previous.dispose();
  }
  return total;
}

const BOTH = 'SaxSparseDecodeGrad';

/** The gradients of the values that are not 0 (the others may get 0), and of the decoder. */
export function gradBoth(dy: Tensor2D, values: Tensor2D, indices: Tensor2D, W_dec: Tensor2D): Tensor2D[] {
  if (hasKernel(BOTH)) return runKernels(BOTH, { dy, values, indices, W_dec }, laterWhereAllowed()) as Tensor2D[];
  return [gradValues(dy, indices, W_dec, values), gradDecoder(dy, values, indices, W_dec.shape[0])];
}

export interface SparseDecodeOptions {
  /** Values that are 0 may go without a gradient, as those of a ReLU can: its own would drop it. Saves their share of work. */
  activeOnly?: boolean;
}

/**
 * x̂ = Σ_j values[:, j] · W_dec[indices[:, j]] + b_dec, reading only the atoms that are active.
 *
 * @param values float32 [n, k]
 * @param indices int32 [n, k], each in [0, d_sae); gets no gradient
 * @param W_dec [d_sae, d_in]
 * @param b_dec [d_in]; left out: no bias
 * @returns [n, d_in]; gradients flow to values, W_dec and b_dec
 * @throws Error where values and indices are not of one shape.
 */
export function sparseDecode(
  values: Tensor2D,
  indices: Tensor2D,
  W_dec: Tensor2D,
  b_dec?: Tensor1D,
  { activeOnly = false }: SparseDecodeOptions = {},
): Tensor2D {
  if (values.shape.join() !== indices.shape.join()) {
    throw new Error(
      `sparse decode: expected values and indices of one shape, found [${values.shape}] and [${indices.shape}]`,
    );
  }
  return customOp<Tensor2D>(
    b_dec ? [values, W_dec, b_dec] : [values, W_dec],
    (save, ...inputs) => {
      const [v, W, b] = inputs as [Tensor2D, Tensor2D, Tensor1D | undefined];
      save([v, W, indices]);
      const sum = decodeSparse(v, indices, W);
      // Within the operation, so that the sum without it is freed here and not when the gradients are there.
      return b ? tf.add(sum, b) : sum;
    },
    (dy, saved) => {
      const [v, W, ids] = saved as [Tensor2D, Tensor2D, Tensor2D];
      const own = activeOnly ? gradBoth(dy, v, ids, W) : [gradValues(dy, ids, W), gradDecoder(dy, v, ids, W.shape[0])];
      return b_dec ? [...own, tf.sum(dy, 0)] : own;
    },
  );
}
