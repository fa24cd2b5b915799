/**
 * @file Kernels on k-sparse codes, under the names and shapes of num/kernels/sparse-decode.ts: SparseDecode (values,
 * indices, W_dec), SparseDecodeGradValues (dy, indices, W_dec), SparseDecodeGradDecoder (dy, values, indices; d_sae),
 * and SparseEncodeGrad, the last one transposed to [d, d_sae] as an encoder is laid out (dy is then the encoder's input).
 * And SaxEncodeTopK (x [n, d], W_enc [d, d_sae], bias [d_sae]; k): values and indices [n, k] of the largest entries of each
 * row of x · W_enc + bias, descending, lowest index first among equals.
 */
import type * as Tf from '@tensorflow/tfjs-core';
import { type Args, type Context, output, override } from '../registry.ts';

type Named = Record<'values' | 'indices' | 'W_dec' | 'dy', Tf.TensorInfo>;

function encodeTopK({ addon }: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo[] {
  const { x, W_enc, bias } = inputs as Record<'x' | 'W_enc' | 'bias', Tf.TensorInfo>;
  const [n, d] = x.shape as [number, number];
  const features = W_enc.shape[1]!;
  const k = attrs['k'] as number;
  const values = output(backend, [n, k], 'float32');
  const indices = output(backend, [n, k], 'int32');
  addon.params.set([n, d, features, k]);
  const read = [x, W_enc, bias].map((info) => backend.valuesOf(info));
  addon.encodeTopK(values.values, indices.values, ...read);
  return [values.info, indices.info];
}

/** Σ over non-zeros (i, j) of values[i, j] · dy[i], as row or column indices[i, j] of the output. */
function outer(context: Context, name: string, columns: boolean): void {
  const { addon } = context;
  override(context, name, ({ inputs, attrs, backend }) => {
    const { dy, values, indices } = inputs as Named;
    const [n, k] = indices.shape as [number, number];
    const features = attrs['d_sae'] as number;
    const d = dy.shape[1]!;
    const out = output(backend, columns ? [d, features] : [features, d], 'float32');
    const kernel = columns ? addon.sparseOuterColumns : addon.sparseOuter;
    addon.params.set([n, k, features, d]);
    kernel(out.values, backend.valuesOf(dy), backend.valuesOf(values), backend.valuesOf(indices));
    return out.info;
  });
}

/** Registers the kernels on k-sparse codes. */
export function registerSparse(context: Context): void {
  const { addon } = context;
  override(context, 'SaxEncodeTopK', (args) => encodeTopK(context, args));
  override(context, 'SparseDecode', ({ inputs, backend }) => {
    const { values, indices, W_dec } = inputs as Named;
    const [n, k] = indices.shape as [number, number];
    const [features, d] = W_dec.shape as [number, number];
    const out = output(backend, [n, d], 'float32');
    addon.params.set([n, k, features, d]);
    addon.sparseDecode(out.values, backend.valuesOf(values), backend.valuesOf(indices), backend.valuesOf(W_dec));
    return out.info;
  });
  override(context, 'SparseDecodeGradValues', ({ inputs, backend }) => {
    const { dy, indices, W_dec } = inputs as Named;
    const [n, k] = indices.shape as [number, number];
    const [features, d] = W_dec.shape as [number, number];
    const out = output(backend, [n, k], 'float32');
    addon.params.set([n, k, features, d]);
    addon.sparseDots(out.values, backend.valuesOf(dy), backend.valuesOf(indices), backend.valuesOf(W_dec));
    return out.info;
  });
  outer(context, 'SparseDecodeGradDecoder', false);
  outer(context, 'SparseEncodeGrad', true);
}
