/** @file Encoder and the k entries of largest modulus, with their signs, in one operation. */
import { type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { type LinearEncoder, topkEncode } from './topk-encode.ts';
import { checkTopk, type TopkCodes } from './topk-sparse.ts';

/**
 * The `k` entries of largest modulus of each row of (x − centre) · W_enc + bias, signed, of all latents or of those in `among`
 * (int32, each at most once); moduli descend. Gradients as of `topkEncode`. Each latent stands in the encoder twice, once
 * with the other sign: no row keeps both, for only one of them is positive.
 *
 * @param x [n, d_in]
 */
export function absTopkEncode(
  x: Tensor2D,
  { W_enc, bias, centre }: LinearEncoder,
  k: number,
  among?: Tensor1D,
): TopkCodes {
  checkTopk(k, among ? among.size : W_enc.shape[1]);
  const count = tf.scalar(W_enc.shape[1], 'int32');
  const both = {
    W_enc: tf.concat([W_enc, tf.neg(W_enc)], 1),
    bias: tf.concat([bias, tf.neg(bias)]),
    ...(centre && { centre }),
  };
  const twice = among && (tf.concat([among, tf.add(among, count)]) as Tensor1D);
  const { indices, values } = topkEncode(x, both, k, twice);
  return {
    indices: tf.mod(indices, count),
    values: tf.where(tf.greaterEqual(indices, count), tf.neg(values), values) as Tensor as Tensor2D,
  };
}
