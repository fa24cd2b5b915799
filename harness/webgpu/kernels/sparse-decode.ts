/**
 * @file Products of k-sparse codes with a decoder and their gradients, from the non-zeros only and without the [n, k, d_in] tensor that
 * a composition would gather. Every sum is in one order, so that two runs give the same bits.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Args, type Context, override, run, sizeOf } from '../program.ts';
import { FIRST_OF, groupEntries } from './group-entries.ts';
import { workgroupSum } from './workgroup-sum.ts';

type Inputs = Record<'values' | 'indices' | 'W_dec' | 'dy', TensorInfo>;

const DECODE = `
  if (index < uniforms.size) {
    let row = index / uniforms.width;
    let column = index % uniforms.width;
    var sum = 0.0;
    for (var e = row * uniforms.k; e < (row + 1) * uniforms.k; e++) {
      let value = f32(values[e]);
      if (value != 0.0) { sum += value * f32(W_dec[i32(indices[e]) * uniforms.width + column]); }
    }
    result[index] = sum;
  }
`;

function decode({ inputs, backend }: Args): TensorInfo {
  const { values, indices, W_dec } = inputs as Inputs;
  const [n, k, width] = [values.shape[0]!, values.shape[1]!, W_dec.shape[1]!];
  return run(backend, [values, indices, W_dec], {
    name: 'sparse decode',
    inputs: ['values', 'indices', 'W_dec'],
    uniforms: { k, width },
    outputShape: [n, width],
    dtype: 'float32',
    body: DECODE,
  });
}

/** Of each kept entry. */
const VALUES = {
  before: `
    let row = at / uniforms.k * uniforms.width;
    let atom = i32(indices[at]) * uniforms.width;`,
  count: 'uniforms.width',
  term: 'f32(dy[row + i]) * f32(W_dec[atom + i])',
};

function gradValues({ inputs, backend }: Args): TensorInfo {
  const { dy, indices, W_dec } = inputs as Inputs;
  return run(backend, [dy, indices, W_dec], {
    name: 'sparse decode, gradient of values',
    inputs: ['dy', 'indices', 'W_dec'],
    uniforms: { k: indices.shape[1]!, width: dy.shape[1]! },
    outputShape: [...indices.shape],
    dtype: 'float32',
    ...workgroupSum('f32', sizeOf(indices.shape), VALUES),
  });
}

const DECODER = `
  if (index < uniforms.size) {
    let atom = index / uniforms.width;
    let column = index % uniforms.width;
    var sum = 0.0;
    for (var i = firstOf(atom); i < uniforms.entries && grouped[i] == atom; i++) {
      let e = grouped[uniforms.entries + i];
      let value = f32(values[e]);
      if (value != 0.0) { sum += value * f32(dy[e / uniforms.k * uniforms.width + column]); }
    }
    result[index] = sum;
  }
`;

function gradDecoder({ inputs, attrs, backend }: Args): TensorInfo {
  const { dy, values, indices } = inputs as Inputs;
  const [d_sae, width, entries] = [attrs['d_sae'] as number, dy.shape[1]!, sizeOf(indices.shape)];
  if (entries === 0) return backend.makeTensorInfo([d_sae, width], 'float32', new Float32Array(d_sae * width));
  const grouped = groupEntries(backend, indices, d_sae);
  const gradient = run(backend, [grouped, values, dy], {
    name: 'sparse decode, gradient of the decoder',
    inputs: ['grouped', 'values', 'dy'],
    uniforms: { entries, k: indices.shape[1]!, width },
    outputShape: [d_sae, width],
    dtype: 'float32',
    head: FIRST_OF,
    body: DECODER,
  });
  backend.disposeData(grouped.dataId);
  return gradient;
}

/** The kernels that `num/ops/sparse-decode.ts` asks for. */
export function registerSparseDecode(context: Context): void {
  override(context, 'SparseDecode', decode);
  override(context, 'SparseDecodeGradValues', gradValues);
  override(context, 'SparseDecodeGradDecoder', gradDecoder);
}
