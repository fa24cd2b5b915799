/**
 * @file Products of k-sparse codes with a decoder, for the backends whose tensors JavaScript can read in place:
 * loops over the non-zeros, without the [n, k, d_in] array that a composition of tf operations would need.
 */
import type { DataId, KernelConfig, NamedAttrMap, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { tf } from '../tf.ts';

/** x̂[i] = Σ_j values[i,j] · W_dec[indices[i,j]]. Inputs values, indices, W_dec. A native backend may register it. */
export const SPARSE_DECODE = 'SparseDecode';
/** ∂values[i,j] = dy[i] · W_dec[indices[i,j]]. Inputs dy, indices, W_dec. */
export const SPARSE_DECODE_GRAD_VALUES = 'SparseDecodeGradValues';
/** ∂W_dec[f] = Σ over (i,j) with indices[i,j] = f of values[i,j] · dy[i]. Inputs dy, values, indices; attribute d_sae. */
export const SPARSE_DECODE_GRAD_DECODER = 'SparseDecodeGradDecoder';

type Numbers = Float32Array | Int32Array;

/** `out` [n, d_in] += codes · W_dec. */
export function sparseDecode(values: Numbers, indices: Numbers, W_dec: Numbers, d_in: number, out: Float32Array): void {
  const n = out.length / d_in;
  const k = n === 0 ? 0 : values.length / n;
  for (let i = 0; i < n; i++) {
    const to = i * d_in;
    for (let j = i * k; j < (i + 1) * k; j++) {
      const value = values[j]!;
      if (value === 0) continue;
      const from = indices[j]! * d_in;
      for (let c = 0; c < d_in; c++) out[to + c]! += value * W_dec[from + c]!;
    }
  }
}

/** `out` [n, k] = the gradient of the kept values. */
export function sparseDecodeGradValues(
  dy: Numbers,
  indices: Numbers,
  W_dec: Numbers,
  d_in: number,
  out: Float32Array,
): void {
  const n = dy.length / d_in;
  const k = n === 0 ? 0 : out.length / n;
  for (let i = 0; i < n; i++) {
    const row = i * d_in;
    for (let j = i * k; j < (i + 1) * k; j++) {
      const from = indices[j]! * d_in;
      let dot = 0;
      for (let c = 0; c < d_in; c++) dot += dy[row + c]! * W_dec[from + c]!;
      out[j] = dot;
    }
  }
}

/** `out` [d_sae, d_in] += the gradient of the decoder, in row order: the same bits on every run. */
export function sparseDecodeGradDecoder(
  dy: Numbers,
  values: Numbers,
  indices: Numbers,
  d_in: number,
  out: Float32Array,
): void {
  const n = dy.length / d_in;
  const k = n === 0 ? 0 : values.length / n;
  for (let i = 0; i < n; i++) {
    const row = i * d_in;
    for (let j = i * k; j < (i + 1) * k; j++) {
      const value = values[j]!;
      if (value === 0) continue;
      const to = indices[j]! * d_in;
      for (let c = 0; c < d_in; c++) out[to + c]! += value * dy[row + c]!;
    }
  }
}

interface HostBackend {
  readSync(dataId: DataId): Numbers;
  write(values: Float32Array, shape: number[], dtype: string): DataId;
  typedArrayFromHeap?(info: TensorInfo): Numbers;
}

type Compute = (read: (name: string) => Numbers, shape: (name: string) => number[], attrs: NamedAttrMap) => Result;
type Result = { shape: number[]; values: Float32Array };

const COMPUTE: Record<string, Compute> = {
  [SPARSE_DECODE]: (read, shape) => {
    const size = [shape('values')[0]!, shape('W_dec')[1]!];
    const out = new Float32Array(size[0]! * size[1]!);
    sparseDecode(read('values'), read('indices'), read('W_dec'), size[1]!, out);
    return { shape: size, values: out };
  },
  [SPARSE_DECODE_GRAD_VALUES]: (read, shape) => {
    const size = shape('indices');
    const out = new Float32Array(size[0]! * size[1]!);
    sparseDecodeGradValues(read('dy'), read('indices'), read('W_dec'), shape('dy')[1]!, out);
    return { shape: size, values: out };
  },
  [SPARSE_DECODE_GRAD_DECODER]: (read, shape, attrs) => {
    const size = [attrs.d_sae as number, shape('dy')[1]!];
    const out = new Float32Array(size[0]! * size[1]!);
    sparseDecodeGradDecoder(read('dy'), read('values'), read('indices'), size[1]!, out);
    return { shape: size, values: out };
  },
};

/** Registers the three kernels for `backendName`. */
export function registerSparseDecode(backendName: 'cpu' | 'wasm'): void {
  for (const [kernelName, compute] of Object.entries(COMPUTE)) {
    if (tf.getKernel(kernelName, backendName)) continue;
    const kernelFunc = (args: { inputs: NamedTensorInfoMap; backend: unknown; attrs?: NamedAttrMap }): TensorInfo => {
      const backend = args.backend as HostBackend;
      const info = (name: string) => args.inputs[name] as TensorInfo;
      const read = (name: string) => backend.typedArrayFromHeap?.(info(name)) ?? backend.readSync(info(name).dataId);
      const { shape, values } = compute(read, (name) => info(name).shape, args.attrs ?? {});
      return { dataId: backend.write(values, shape, 'float32'), shape, dtype: 'float32' };
    };
    tf.registerKernel({ kernelName, backendName, kernelFunc } as KernelConfig);
  }
}
