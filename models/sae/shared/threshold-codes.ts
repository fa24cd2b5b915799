/** @file Codes by threshold: inference of BatchTopK and JumpReLU. */
import { type Codes, type Tensor, type Tensor1D, type Tensor2D, tf } from '../../../harness/contract.ts';
import { aboveThreshold } from '../../../harness/kit/index.ts';

/** pre where it exceeds the threshold (a scalar, or [d_sae]) and is positive, else 0. */
export function thresholdCodes(pre: Tensor2D, threshold: Tensor): Codes {
  return { kind: 'dense', values: aboveThreshold(pre, threshold) };
}

/** [n, d_sae] of codes of either kind; for decoders of variants whose own codes are dense. */
export function toDense(codes: Codes): Tensor2D {
  if (codes.kind === 'dense') return codes.values;
  const { indices, values, d_sae } = codes;
  const n = indices.shape[0];
  const offsets = tf.mul(tf.range(0, n, 1, 'int32'), tf.scalar(d_sae, 'int32'));
  const positions = tf.reshape(tf.add(indices, tf.expandDims(offsets, 1)), [indices.size]) as Tensor1D;
  const flat = tf.unsortedSegmentSum(tf.reshape(values, [values.size]), positions, n * d_sae);
  return tf.reshape(flat, [n, d_sae]);
}
