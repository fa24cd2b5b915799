/** @file Rows with one latent of their codes set to a value, by the dictionary's own encoder and decoder. */
import { type Codes, type FittedMethod, type Tensor1D, type Tensor2D, tf } from '../../harness/contract.ts';

/** What is set in each row. */
export interface CodeEdits {
  /** [n] */
  latents: Int32Array;
  /** [n] */
  values: Float32Array;
}

/** Code values computed at a time: bounds the [rows, d_sae] block of methods with dense codes. */
export const CODES = 2 ** 23;

/**
 * Of x [n, d]: x + decode(edited codes) − decode(codes), which keeps what the dictionary does not explain; without
 * `keepError` decode(edited codes). Call inside `tf.tidy`.
 */
export function editedRows(x: Tensor2D, edits: CodeEdits, method: FittedMethod, keepError: boolean): Tensor2D {
  const step = Math.max(1, Math.floor(CODES / method.d_sae!));
  const parts: Tensor2D[] = [];
  for (let from = 0; from < x.shape[0]; from += step) {
    const count = Math.min(step, x.shape[0] - from);
    parts.push(
      tf.tidy(() => {
        const rows = tf.slice(x, [from, 0], [count, -1]);
        const codes = method.encode!(rows);
        const latents = tf.tensor1d(edits.latents.subarray(from, from + count), 'int32');
        const values = tf.tensor1d(edits.values.subarray(from, from + count));
        const changed = method.decode!(edited(codes, latents, values, method.d_sae!), rows);
        return keepError ? (tf.add(rows, tf.sub(changed, method.decode!(codes, rows))) as Tensor2D) : changed;
      }),
    );
  }
  return parts.length === 1 ? parts[0]! : (tf.concat(parts, 0) as Tensor2D);
}

/** Sparse codes get one entry more: the latent, which leaves the place that it may have had with 0. */
function edited(codes: Codes, latents: Tensor1D, values: Tensor1D, d_sae: number): Codes {
  const [wanted, set] = [tf.expandDims(latents, 1), tf.expandDims(values, 1)];
  if (codes.kind === 'topk') {
    const others = tf.cast(tf.notEqual(codes.indices, wanted), 'float32');
    return {
      ...codes,
      indices: tf.concat([codes.indices, wanted], 1) as Tensor2D,
      values: tf.concat([tf.mul(codes.values, others), set], 1) as Tensor2D,
    };
  }
  const hot = tf.cast(tf.oneHot(latents, d_sae), 'float32');
  return { ...codes, values: tf.add(tf.mul(codes.values, tf.sub(1, hot)), tf.mul(hot, set)) as Tensor2D };
}
