/**
 * @file Buffers of disposed tensors, kept for the next tensor of about the same size: a fresh large array costs page
 * faults and zeroing, often more than the kernel that fills it. Sizes are rounded up to classes, so that batches of
 * varying length find one another's buffers. What is not kept gives its memory back at once, not when garbage is next collected.
 */
import { totalmem } from 'node:os';
import type { Addon, Values } from './addon.ts';

/** Bytes kept at most: what one training step holds at once, without starving other programs or the threads beside. */
export const CAPACITY = Math.min(2 ** 31, Math.floor(totalmem() / 16));
/** Smaller arrays are cheaper to make anew than to look up. */
const SMALLEST = 2048;

type Kind = 'float32' | 'int32' | 'bool';

const constructors = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** From this size on a buffer has large pages where the system gives them. */
const LARGE = 2 ** 23;

/** The class of a size: eight to an octave, so at most an eighth is wasted. */
function classOf(size: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(size)) - 3);
  return Math.ceil(size / step) * step;
}

/** The arrays of one backend: those that it gives out, and the free ones that it keeps. */
export class Recycling {
  private readonly addon: Pick<Addon, 'largePages' | 'release'>;
  /** Free buffers by class; a class moves to the end when it is used, so the first is the one unused for longest. */
  private readonly kept = new Map<number, ArrayBuffer[]>();
  private bytes = 0;

  constructor(addon: Pick<Addon, 'largePages' | 'release'>) {
    this.addon = addon;
  }

  /** An array of `size` elements with undefined contents. */
  take(dtype: Kind, size: number): Values {
    const make = constructors[dtype];
    const needed = size * make.BYTES_PER_ELEMENT;
    if (needed < SMALLEST) return new make(size);
    const capacity = classOf(needed);
    const free = this.kept.get(capacity)?.pop();
    if (free === undefined) return new make(this.fresh(capacity), 0, size);
    this.bytes -= capacity;
    return new make(free, 0, size);
  }

  /** Takes back an array from `take` that nothing else refers to. */
  give(values: Values): void {
    const buffer = values.buffer as ArrayBuffer;
    const capacity = buffer.byteLength;
    if (capacity < SMALLEST) return;
    if (capacity > CAPACITY / 2) {
      this.addon.release(buffer);
      return;
    }
    while (this.bytes + capacity > CAPACITY) this.dropOldestClass();
    const list = this.kept.get(capacity) ?? [];
    list.push(buffer);
    this.kept.delete(capacity);
    this.kept.set(capacity, list);
    this.bytes += capacity;
  }

  private fresh(capacity: number): ArrayBuffer {
    const buffer = new ArrayBuffer(capacity);
    if (capacity >= LARGE) this.addon.largePages(buffer);
    return buffer;
  }

  /** Sizes of an earlier phase of the program would otherwise stay for good. */
  private dropOldestClass(): void {
    const [first] = this.kept;
    if (first === undefined) return;
    const [oldest, buffers] = first;
    for (const buffer of buffers) this.addon.release(buffer);
    this.bytes -= oldest * buffers.length;
    this.kept.delete(oldest);
  }
}
