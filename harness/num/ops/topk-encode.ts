/** @file Encoder and TopK in one operation, whose gradient reads the kept entries only. */
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';
import { gradDecoder } from './sparse-decode.ts';
import { type TopkCodes, topkSparse } from './topk-sparse.ts';

/**
 * The `k` largest entries of each row of ReLU(x · W_enc + bias). The gradients of W_enc and bias are summed over the
 * kept entries above 0, n · k · d_in multiplications instead of n · d_sae · d_in; x gets no gradient.
 *
 * @param x [n, d_in]
 * @param W_enc [d_in, d_sae]
 * @param bias [d_sae]
 */
export function topkEncode(x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D, k: number): TopkCodes {
  // An operation has one output: the indices are made first, and the values' gradient refers to them.
  const { indices, values } = tf.tidy(() => {
    const found = topkSparse(tf.add(tf.matMul(x, W_enc), bias) as Tensor2D, k);
    return { indices: found.indices, values: tf.relu(found.values) };
  });
  const differentiable = customOp<Tensor2D>(
    [W_enc, bias],
    (save) => {
      save([x, indices, values]);
      return tf.clone(values);
    },
    (dy, [input, ids, kept]) => {
      const active = tf.mul(dy, tf.step(kept!)) as Tensor2D;
      const d_sae = W_enc.shape[1];
      const flat = tf.reshape(ids!, [ids!.size]) as Tensor1D;
      return [
        tf.transpose(gradDecoder(input as Tensor2D, active, ids as Tensor2D, d_sae)),
        tf.unsortedSegmentSum(tf.reshape(active, [active.size]), flat, d_sae),
      ];
    },
  );
  return { indices, values: differentiable };
}
