/** @file The forward passes of checkpoints at inference: one function for all layouts. */
import type { Codes, FittedMethod } from '../contract.ts';
import { sparseDecode } from '../num/ops/sparse-decode.ts';
import { type NamedTensors, type Tensor1D, type Tensor2D, tf } from '../num/tf.ts';
import { sizeOf, unitRows } from '../train/fitted-sae.ts';
import { encode } from './encode.ts';
import type { Checkpoint } from './form.ts';
import { unscaleRows } from './rows.ts';

function decode(params: NamedTensors, codes: Codes): Tensor2D {
  const { W_dec, b_dec } = params as { W_dec: Tensor2D; b_dec: Tensor1D };
  if (codes.kind === 'topk') return sparseDecode(codes.values, codes.indices, W_dec, b_dec);
  return tf.add(tf.matMul(codes.values, W_dec), b_dec) as Tensor2D;
}

/** `rescale_acts_by_decoder_norm` in the weights: pre-activations times decoder norms, decoder rows of unit length. */
function foldDecoderNorms(params: NamedTensors): NamedTensors {
  const norms = tf.norm(params['W_dec'] as Tensor2D, 'euclidean', 1);
  return {
    ...params,
    W_enc: tf.mul(params['W_enc']!, norms),
    b_enc: tf.mul(params['b_enc']!, norms),
    W_dec: tf.divNoNan(params['W_dec']!, tf.expandDims(norms, 1)),
  };
}

/** A checkpoint as a method, on the backend in use. Its input scale must have been folded. */
export function checkpointMethod({ config, tensors }: Checkpoint): FittedMethod {
  if (config.inputScale !== undefined) throw new Error('internal: the input scale of a checkpoint is not folded');
  const { d_in, d_sae, d_out, form } = config;
  const params = tf.tidy(() => {
    const read = Object.entries(tensors).map(([name, { shape, data }]) => [name, tf.tensor(data, shape)] as const);
    const named: NamedTensors = Object.fromEntries(read);
    // Without its centre, SAELens's matching pursuit has no bias at all.
    if (form.pursuit && !form.centred) named['b_dec'] = tf.zerosLike(named['b_dec']!);
    return form.rescaleByDecoderNorm ? foldDecoderNorms(named) : named;
  });
  const undone = form.transcodes ? undefined : form.rows;
  return {
    d_in,
    ...(d_out === d_in ? {} : { d_out }),
    d_sae,
    // Signed codes have two directions.
    sparse: form.activation !== 'abstopk',
    ...(undone && { rowScaled: true as const }),
    encode: (x) => tf.tidy(() => encode(config, params, x)),
    decode: (codes, x) =>
      tf.tidy(() => {
        const decoded = decode(params, codes);
        if (undone === undefined) return decoded;
        if (x === undefined) throw new Error('internal: a method that scales rows was asked to decode without them');
        return unscaleRows(decoded, x, undone);
      }),
    ...(params['W_skip'] && { skip: (x: Tensor2D) => tf.matMul(x, params['W_skip'] as Tensor2D, false, true) }),
    cost: sizeOf(Object.values(params)),
    directions: () => unitRows(params['W_dec']!.dataSync() as Float32Array, d_out),
    dispose: () => tf.dispose(params),
  };
}
