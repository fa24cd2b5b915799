/** @file Matrix products for the `wasm` backend by its fast path, which tfjs takes for one plain product only. */
import type { DataId, KernelBackend, KernelConfig, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { tf } from '../tf.ts';

/** What the wasm backend offers to kernels. */
interface WasmBackend extends KernelBackend {
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  typedArrayFromHeap(info: TensorInfo): Float32Array;
  disposeData(dataId: DataId): boolean;
}

/** Below this many rows of the left side, transposing the right side costs more than tfjs's slow product. */
const MIN_ROWS = 8;
/** Multiplications below which one product of a batch is not worth a call of its own. */
const MIN_PRODUCT = 1 << 14;

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

type Run = (a: TensorInfo, b: TensorInfo, transposeA: boolean, transposeB: boolean) => TensorInfo;

/** The last two axes swapped; the caller disposes the result. */
function swapped(backend: WasmBackend, x: TensorInfo): TensorInfo {
  const rank = x.shape.length;
  const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
  const transpose = tf.getKernel('Transpose', 'wasm').kernelFunc;
  return transpose({ inputs: { x }, backend, attrs: { perm } }) as TensorInfo;
}

/** One product at a time: XNNPACK packs the right side under its data id, so every piece is a tensor of its own. */
function eachOfBatch(backend: WasmBackend, run: Run, a: TensorInfo, b: TensorInfo): TensorInfo {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const count = sizeOf(a.shape) / (m * k);
  const out = backend.makeOutput([...a.shape.slice(0, -1), n], 'float32');
  const piece = (x: TensorInfo, i: number, shape: [number, number]) => {
    const part = backend.makeOutput(shape, 'float32');
    const size = shape[0] * shape[1];
    // The heap may have moved with the allocation: views are taken afterwards.
    backend.typedArrayFromHeap(part).set(backend.typedArrayFromHeap(x).subarray(i * size, (i + 1) * size));
    return part;
  };
  for (let i = 0; i < count; i++) {
    const left = piece(a, i, [m, k]);
    const right = piece(b, i, [k, n]);
    const product = run(left, right, false, false);
    backend.typedArrayFromHeap(out).set(backend.typedArrayFromHeap(product), i * m * n);
    for (const { dataId } of [left, right, product]) backend.disposeData(dataId);
  }
  return out;
}

function multiply(backend: WasmBackend, run: Run, a: TensorInfo, b: TensorInfo, attrs: NamedAttrMap): TensorInfo {
  const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
  const [m, k] = (transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2)) as [number, number];
  const n = b.shape.at(transposeB ? -2 : -1)!;
  const batchA = sizeOf(a.shape.slice(0, -2));
  const batched = batchA > 1 && batchA === sizeOf(b.shape.slice(0, -2)) && a.shape.length === b.shape.length;
  const single = batchA === 1 && sizeOf(b.shape.slice(0, -2)) === 1;
  const worth = batched ? m * k * n >= MIN_PRODUCT : single && (transposeA || transposeB) && m >= MIN_ROWS;
  if (!worth || sizeOf(a.shape) === 0 || sizeOf(b.shape) === 0) return run(a, b, transposeA, transposeB);
  const left = transposeA ? swapped(backend, a) : a;
  const right = transposeB ? swapped(backend, b) : b;
  const out = batched ? eachOfBatch(backend, run, left, right) : run(left, right, false, false);
  if (transposeA) backend.disposeData(left.dataId);
  if (transposeB) backend.disposeData(right.dataId);
  return out;
}

/**
 * Replaces the wasm kernels of matrix products. tfjs 4.22 hands only a single product with neither side transposed to
 * XNNPACK; transposed and batched ones run in a plain loop about ten times slower, and those are the gradients of every
 * product and all of attention.
 */
export function registerWasmMatMul(): void {
  for (const kernelName of ['BatchMatMul', '_FusedMatMul']) {
    const original = tf.getKernel(kernelName, 'wasm');
    tf.unregisterKernel(kernelName, 'wasm');
    const replacement: KernelConfig = {
      ...original,
      kernelFunc: ({ inputs, backend, attrs }) => {
        const run: Run = (a, b, transposeA, transposeB) =>
          original.kernelFunc({
            inputs: { ...inputs, a, b },
            backend,
            attrs: { ...attrs, transposeA, transposeB },
          }) as TensorInfo;
        const { a, b, bias } = inputs as { a: TensorInfo; b: TensorInfo; bias?: TensorInfo };
        const fusedBatch = kernelName === '_FusedMatMul' && (sizeOf(a.shape.slice(0, -2)) > 1 || a.shape.length !== 3);
        if (fusedBatch || (bias && bias.shape.length !== 1))
          return run(a, b, Boolean(attrs!['transposeA']), Boolean(attrs!['transposeB']));
        return multiply(backend as WasmBackend, run, a, b, attrs!);
      },
    };
    tf.registerKernel(replacement);
  }
}
