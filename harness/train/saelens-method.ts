/** @file The forward passes of SAELens's architectures at inference. */
import type { Codes, FittedMethod } from '../contract.ts';
import { sparseDecode } from '../num/ops/sparse-decode.ts';
import { topkSparse } from '../num/ops/topk-sparse.ts';
import { type NamedTensors, type Tensor1D, type Tensor2D, tf } from '../num/tf.ts';
import { unitRows } from './fitted-sae.ts';

export type SaeLensArchitecture = 'standard' | 'topk' | 'jumprelu' | 'gated';

/** How a checkpoint treats its input and its codes. */
export interface SaeLensForm {
  /** b_dec is subtracted from the input (`apply_b_dec_to_input`). */
  centred: boolean;
  /** TopK chooses by pre-activation times decoder norm. */
  rescaleByDecoderNorm: boolean;
}

interface Described {
  architecture: SaeLensArchitecture;
  d_in: number;
  d_sae: number;
  k?: number;
  form: SaeLensForm;
}

function encode({ architecture, k, form }: Described, params: NamedTensors, x: Tensor2D): Codes {
  const { W_enc, b_dec } = params as { W_enc: Tensor2D; b_dec: Tensor1D };
  const input = form.centred ? (tf.sub(x, b_dec) as Tensor2D) : x;
  const product = tf.matMul(input, W_enc);
  if (architecture === 'gated') {
    const gate = tf.cast(tf.greater(tf.add(product, params['b_gate']!), 0), 'float32');
    const magnitude = tf.relu(tf.add(tf.mul(product, tf.exp(params['r_mag']!)), params['b_mag']!));
    return { kind: 'dense', values: tf.mul(gate, magnitude) as Tensor2D };
  }
  const pre = tf.add(product, params['b_enc']!) as Tensor2D;
  if (architecture === 'standard') return { kind: 'dense', values: tf.relu(pre) };
  if (architecture === 'jumprelu') {
    const active = tf.cast(tf.greater(pre, params['threshold']!), 'float32');
    return { kind: 'dense', values: tf.mul(tf.relu(pre), active) as Tensor2D };
  }
  const norms = tf.norm(params['W_dec'] as Tensor2D, 'euclidean', 1);
  const chosen = topkSparse((form.rescaleByDecoderNorm ? tf.mul(pre, norms) : pre) as Tensor2D, k!);
  return { kind: 'topk', indices: chosen.indices, values: tf.relu(chosen.values), d_sae: pre.shape[1] };
}

function decode({ form }: Described, params: NamedTensors, codes: Codes): Tensor2D {
  const { W_dec, b_dec } = params as { W_dec: Tensor2D; b_dec: Tensor1D };
  const decoder = form.rescaleByDecoderNorm
    ? (tf.divNoNan(W_dec, tf.norm(W_dec, 'euclidean', 1, true)) as Tensor2D)
    : W_dec;
  if (codes.kind === 'topk') return sparseDecode(codes.values, codes.indices, decoder, b_dec);
  return tf.add(tf.matMul(codes.values, decoder), b_dec) as Tensor2D;
}

/** A checkpoint as a method; takes the tensors over. */
export function saeLensMethod(described: Described, params: NamedTensors): FittedMethod {
  const { d_in, d_sae } = described;
  return {
    d_in,
    d_sae,
    sparse: true,
    encode: (x) => tf.tidy(() => encode(described, params, x)),
    decode: (codes) => tf.tidy(() => decode(described, params, codes)),
    directions: () => unitRows(params['W_dec']!.dataSync() as Float32Array, d_in),
    dispose: () => tf.dispose(params),
  };
}
