/** @file UnsortedSegmentSum for the `cpu` and `wasm` backends, in one pass over the rows, and a repair of TensorFlow's. */
import type { DataId, KernelConfig, NamedAttrMap, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { type Tensor, tf } from '../tf.ts';

/** The two access paths that the JavaScript-side backends offer to a tensor's values. */
interface HostBackend {
  readSync(dataId: DataId): Float32Array | Int32Array | Uint8Array;
  write(values: Float32Array | Int32Array, shape: number[], dtype: string): DataId;
  /** wasm only: a view of the heap, which saves the copy that `readSync` makes. */
  typedArrayFromHeap?(info: TensorInfo): Float32Array | Int32Array | Uint8Array;
}

/**
 * `out[segmentIds[i], …] += x[i, …]` in row order, so the result is the same bits on every run. Segment ids outside
 * `[0, numSegments)` are dropped.
 */
export function segmentSum(
  x: ArrayLike<number>,
  segmentIds: ArrayLike<number>,
  numSegments: number,
  rowSize: number,
  out: Float32Array | Int32Array,
): void {
  for (let i = 0; i < segmentIds.length; i++) {
    const segment = segmentIds[i]!;
    if (segment < 0 || segment >= numSegments) continue;
    const from = i * rowSize;
    const to = segment * rowSize;
    for (let j = 0; j < rowSize; j++) out[to + j]! += x[from + j]!;
  }
}

function kernel(args: { inputs: NamedTensorInfoMap; backend: unknown; attrs?: NamedAttrMap | undefined }): TensorInfo {
  const backend = args.backend as HostBackend;
  const { x, segmentIds } = args.inputs as { x: TensorInfo; segmentIds: TensorInfo };
  const numSegments = args.attrs!.numSegments as number;
  const rank = segmentIds.shape.length;
  const shape = [numSegments, ...x.shape.slice(rank)];
  const rowSize = x.shape.slice(rank).reduce((a, b) => a * b, 1);
  const read = (info: TensorInfo) => backend.typedArrayFromHeap?.(info) ?? backend.readSync(info.dataId);
  const out = x.dtype === 'int32' ? new Int32Array(numSegments * rowSize) : new Float32Array(numSegments * rowSize);
  segmentSum(read(x), read(segmentIds), numSegments, rowSize, out);
  return { dataId: backend.write(out, shape, x.dtype), shape, dtype: x.dtype };
}

/**
 * Registers the kernel for `backendName` in place of the one that is there. tfjs has none for wasm, and its CPU kernel
 * compares every id with every segment: quadratic, minutes for the decoder gradient of one batch.
 */
export function registerUnsortedSegmentSum(backendName: 'cpu' | 'wasm'): void {
  if (tf.getKernel(tf.UnsortedSegmentSum, backendName)) tf.unregisterKernel(tf.UnsortedSegmentSum, backendName);
  tf.registerKernel({ kernelName: tf.UnsortedSegmentSum, backendName, kernelFunc: kernel } as KernelConfig);
}

/**
 * Makes the `tensorflow` backend drop every segment id out of range, as the other backends do. TensorFlow itself drops
 * the negative ones, throws on the others on a CPU, and leaves open what a GPU does with them.
 */
export function dropSegmentsOutOfRange(): void {
  const theirs = tf.getKernel(tf.UnsortedSegmentSum, 'tensorflow');
  const kernelFunc: KernelConfig['kernelFunc'] = (args) =>
    tf.tidy(() => {
      const segmentIds = args.inputs.segmentIds as Tensor;
      // As int32: beside a plain number the ids would be compared as float32, inexact from 2^24.
      const inRange = tf.less(segmentIds, tf.scalar(args.attrs!.numSegments as number, 'int32'));
      const dropped = tf.where(inRange, segmentIds, tf.scalar(-1, 'int32'));
      return theirs.kernelFunc({ ...args, inputs: { ...args.inputs, segmentIds: dropped } }) as Tensor;
    });
  tf.unregisterKernel(tf.UnsortedSegmentSum, 'tensorflow');
  tf.registerKernel({ ...theirs, kernelFunc });
}
