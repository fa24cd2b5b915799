/** @file Encoder and TopK in one operation, whose gradient reads the kept entries only. */
import { hasKernel, runKernels } from '../kernels/own.ts';
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';
import { gradDecoder } from './sparse-decode.ts';
import { checkTopk, type TopkCodes, topkSparse } from './topk-sparse.ts';

/** Where the backend has a kernel for it, the pre-activations [n, d_sae] never exist as a whole. */
function largest(x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D, k: number): TopkCodes {
  checkTopk(k, W_enc.shape[1]);
  if (!hasKernel('SaxEncodeTopK')) return topkSparse(tf.add(tf.matMul(x, W_enc), bias) as Tensor2D, k);
  const [values, indices] = runKernels('SaxEncodeTopK', { x, W_enc, bias }, { k }) as [Tensor2D, Tensor2D];
  return { values, indices };
}

/**
 * The `k` largest entries of each row of ReLU(x · W_enc + bias). The gradients of W_enc and bias are summed over the
 * kept entries above 0, n · k · d_in multiplications instead of n · d_sae · d_in; x gets no gradient.
 *
 * @param x [n, d_in]
 * @param W_enc [d_in, d_sae]
 * @param bias [d_sae]
 */
export function topkEncode(x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D, k: number): TopkCodes {
  let kept: Tensor2D | undefined;
  const values = customOp<Tensor2D>(
    [W_enc, bias],
    (save, W, b) => {
      const found = largest(x, W as Tensor2D, b as Tensor1D, k);
      const active = tf.relu(found.values);
      // An operation has one output: the indices leave it as a constant.
      kept = tf.keep(found.indices);
      save([x, found.indices, active]);
      return active;
    },
    (dy, [input, ids, codes]) => {
      const active = tf.mul(dy, tf.step(codes!)) as Tensor2D;
      const d_sae = W_enc.shape[1];
      const flat = tf.reshape(ids!, [ids!.size]) as Tensor1D;
      return [
        tf.transpose(gradDecoder(input as Tensor2D, active, ids as Tensor2D, d_sae)),
        tf.unsortedSegmentSum(tf.reshape(active, [active.size]), flat, d_sae),
      ];
    },
  );
  // A clone belongs to the caller's scope, as every result does.
  const indices = tf.clone(kept!);
  kept!.dispose();
  return { indices, values };
}
