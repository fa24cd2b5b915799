/**
 * @file Arrays of disposed tensors, kept for the next tensor of the same size: a fresh large array costs page faults and
 * zeroing, often more than the kernel that fills it.
 */
import type { Values } from './addon.ts';

/** Bytes kept at most; arrays past this go to the garbage collector. */
const capacity = 384 * 2 ** 20;

type Kind = 'float32' | 'int32' | 'bool';

const constructors = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
const kept: Record<Kind, Map<number, Values[]>> = { float32: new Map(), int32: new Map(), bool: new Map() };
let bytes = 0;

/** An array of `size` elements with undefined contents. */
export function takeArray(dtype: Kind, size: number): Values {
  const free = kept[dtype].get(size)?.pop();
  if (free === undefined) return new constructors[dtype](size);
  bytes -= free.byteLength;
  return free;
}

function kindOf(values: Values): Kind {
  return values instanceof Float32Array ? 'float32' : values instanceof Int32Array ? 'int32' : 'bool';
}

/** Takes back an array that nothing else refers to. */
export function giveArray(values: Values): void {
  if (values.length === 0 || values.byteLength > capacity / 2) return;
  if (bytes + values.byteLength > capacity) dropAll();
  const lists = kept[kindOf(values)];
  const list = lists.get(values.length);
  if (list) list.push(values);
  else lists.set(values.length, [values]);
  bytes += values.byteLength;
}

/** Empties the store: sizes of an earlier phase of the program would otherwise stay for good. */
function dropAll(): void {
  for (const lists of Object.values(kept)) lists.clear();
  bytes = 0;
}
