/**
 * @file Buffers of disposed tensors, kept for the next tensor of about the same size: a fresh large array costs page
 * faults and zeroing, often more than the kernel that fills it. Sizes are rounded up to classes, so that batches of
 * varying length find one another's buffers.
 */
import { totalmem } from 'node:os';
import { startAddon, type Values } from './addon.ts';

/** Bytes kept at most: what one training step holds at once, without starving other programs. */
const CAPACITY = Math.min(2 ** 31, Math.floor(totalmem() / 8));
/** Smaller arrays are cheaper to make anew than to look up. */
const SMALLEST = 2048;

type Kind = 'float32' | 'int32' | 'bool';

const constructors = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
/** Free buffers by class; a class moves to the end when it is used, so the first is the one unused for longest. */
const kept = new Map<number, ArrayBuffer[]>();
let bytes = 0;

/** The class of a size: eight to an octave, so at most an eighth is wasted. */
function classOf(size: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(size)) - 3);
  return Math.ceil(size / step) * step;
}

/** From this size on a buffer has large pages where the system gives them. */
const LARGE = 2 ** 23;

function freshBuffer(capacity: number): ArrayBuffer {
  const buffer = new ArrayBuffer(capacity);
  if (capacity >= LARGE) startAddon().largePages(buffer);
  return buffer;
}

/** An array of `size` elements with undefined contents. */
export function takeArray(dtype: Kind, size: number): Values {
  const make = constructors[dtype];
  const needed = size * make.BYTES_PER_ELEMENT;
  if (needed < SMALLEST) return new make(size);
  const capacity = classOf(needed);
  const list = kept.get(capacity);
  const free = list?.pop();
  if (free === undefined) return new make(freshBuffer(capacity), 0, size);
  bytes -= capacity;
  return new make(free, 0, size);
}

/** Takes back an array from `takeArray` that nothing else refers to. */
export function giveArray(values: Values): void {
  const buffer = values.buffer as ArrayBuffer;
  const capacity = buffer.byteLength;
  if (capacity < SMALLEST || capacity > CAPACITY / 2) return;
  while (bytes + capacity > CAPACITY) dropOldestClass();
  const list = kept.get(capacity) ?? [];
  list.push(buffer);
  kept.delete(capacity);
  kept.set(capacity, list);
  bytes += capacity;
}

/** Sizes of an earlier phase of the program would otherwise stay for good. */
function dropOldestClass(): void {
  const [oldest] = kept.keys();
  if (oldest === undefined) return;
  bytes -= oldest * kept.get(oldest)!.length;
  kept.delete(oldest);
}
