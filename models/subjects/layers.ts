/** @file The layers of a transformer as differentiable functions of named parameters; activations are [rows, width]. */
import { type NamedTensors, type Tensor1D, type Tensor2D, tf } from '../../harness/contract.ts';
import {
  layerNorm,
  type PackedLinear,
  packedLinear,
  packedRows,
  rmsNorm,
  unpackLinear,
} from '../../harness/kit/index.ts';

export type Norm = 'rms' | 'layer';

const packedOf = (params: NamedTensors, name: string) => params[`${name}.packed`] as PackedLinear | undefined;

/**
 * x [rows, in] → x · Wᵀ + b [rows, out]. W is stored as Hugging Face does, [out, in], under `<name>.weight`, or ready for
 * inference (see `inference.ts`): transposed, [in, out], under `<name>.weightT`, or packed under `<name>.packed`, where no
 * gradient passes to it. The bias is added where `<name>.bias` exists.
 */
export function linear(params: NamedTensors, name: string, x: Tensor2D): Tensor2D {
  const packed = packedOf(params, name);
  if (packed) return packedLinear(x, packed, params[`${name}.bias`] as Tensor1D | undefined);
  const ready = params[`${name}.weightT`] as Tensor2D | undefined;
  const weight = ready ?? (params[`${name}.weight`] as Tensor2D);
  const bias = params[`${name}.bias`] as Tensor1D | undefined;
  const transposeB = ready === undefined;
  return bias
    ? (tf.fused.matMul({ a: x, b: weight, transposeB, bias }) as Tensor2D)
    : tf.matMul(x, weight, false, transposeB);
}

/**
 * RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467) or LayerNorm (Ba et al. 2016, arXiv:1607.06450) of each row, or of each
 * part of a row that is as wide as the weight.
 *
 * @param offset Added to the weight: 1 in Gemma's norms.
 */
export function normalise(
  params: NamedTensors,
  name: string,
  x: Tensor2D,
  kind: Norm,
  epsilon: number,
  offset = 0,
): Tensor2D {
  const stored = params[`${name}.weight`] as Tensor1D;
  const weight = offset === 0 ? stored : (tf.add(stored, offset) as Tensor1D);
  if (weight.size !== x.shape[1]) {
    const parts = tf.reshape(x, [-1, weight.size]) as Tensor2D;
    return tf.reshape(normalise(params, name, parts, kind, epsilon, offset), x.shape);
  }
  if (kind === 'rms') return rmsNorm(x, weight, epsilon);
  const bias = (params[`${name}.bias`] as Tensor1D | undefined) ?? (tf.zerosLike(weight) as Tensor1D);
  return layerNorm(x, weight, bias, epsilon);
}

/** Rows of the table `<name>.weight` [vocabulary, d], which may be packed instead, for ids [rows] → [rows, d]. */
export function embed(params: NamedTensors, name: string, ids: Int32Array): Tensor2D {
  const table = params[`${name}.weight`] as Tensor2D | undefined;
  return table ? tf.gather(table, tf.tensor1d(ids, 'int32')) : packedRows(packedOf(params, name)!, ids);
}

/** The weight of a linear layer that is ready for inference, [in, out]; the caller's. */
export function transposedWeight(params: NamedTensors, name: string): Tensor2D {
  const packed = packedOf(params, name);
  return packed ? unpackLinear(packed) : tf.clone(params[`${name}.weightT`] as Tensor2D);
}
