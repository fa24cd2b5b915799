/** @file Writing .safetensors: deterministic bytes (those of the reference implementation), streamed, atomic. */

import { atomicWrite } from './atomic.ts';
import type { ElementType } from './elements.ts';
import { ELEMENT_BYTES } from './elements.ts';
import { floatToBfloat, floatToHalf } from './float16.ts';
import { elementCount } from './strided.ts';

/** A tensor to write: row-major values, converted to `dtype` on the way. */
export interface TensorToWrite {
  dtype: ElementType;
  shape: readonly number[];
  data: ArrayLike<number>;
}

/** The order of the reference implementation: types from the widest to the narrowest, so that all are aligned. */
const TYPE_ORDER: readonly ElementType[] = [
  'U64',
  'I64',
  'F64',
  'F32',
  'U32',
  'I32',
  'BF16',
  'F16',
  'U16',
  'I16',
  'I8',
  'U8',
  'BOOL',
];

/** Elements converted at a time. */
const CHUNK = 1 << 20;

function encode(dtype: ElementType, data: ArrayLike<number>, from: number, to: number): Uint8Array {
  const values = ArrayBuffer.isView(data)
    ? (data as Float32Array).subarray(from, to)
    : Array.prototype.slice.call(data, from, to);
  const encoded = (() => {
    switch (dtype) {
      case 'F32':
        return values instanceof Float32Array ? values : Float32Array.from(values);
      case 'F16':
        return floatToHalf(Float32Array.from(values));
      case 'BF16':
        return floatToBfloat(Float32Array.from(values));
      case 'F64':
        return Float64Array.from(values);
      case 'I64':
        return BigInt64Array.from(values as number[], (value) => BigInt(value));
      case 'U64':
        return BigUint64Array.from(values as number[], (value) => BigInt(value));
      case 'I32':
        return Int32Array.from(values);
      case 'U32':
        return Uint32Array.from(values);
      case 'I16':
        return Int16Array.from(values);
      case 'U16':
        return Uint16Array.from(values);
      case 'I8':
        return Int8Array.from(values);
      default:
        return Uint8Array.from(values);
    }
  })();
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

/**
 * Write a .safetensors file atomically. The same tensors give the same bytes, whatever the order of the object.
 *
 * @param metadata Strings for the `__metadata__` entry, sorted by key.
 * @throws UserError when the disk is full or the folder cannot be written.
 * @throws Error when a shape does not fit its data.
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, TensorToWrite>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const ordered = Object.entries(tensors).sort(
    ([a, x], [b, y]) =>
      TYPE_ORDER.indexOf(x.dtype) - TYPE_ORDER.indexOf(y.dtype) || Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  // Written as text: an object would move integer-like names to the front.
  const entries: string[] = [];
  if (metadata !== undefined) {
    const sorted = Object.entries(metadata).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    entries.push(`"__metadata__":{${sorted.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}`);
  }
  let offset = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    const count = elementCount(shape);
    if (data.length !== count) {
      throw new Error(`safetensors ${path}: tensor '${name}': shape [${shape.join(', ')}] with ${data.length} values`);
    }
    const end = offset + count * ELEMENT_BYTES[dtype];
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    offset = end;
  }
  const text = Buffer.from(`{${entries.join(',')}}`);
  const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8), 0);
  text.copy(header, 8);
  await atomicWrite(path, async (handle) => {
    await handle.writeFile(header);
    for (const [, { dtype, data }] of ordered) {
      for (let from = 0; from < data.length; from += CHUNK) {
        await handle.writeFile(encode(dtype, data, from, Math.min(data.length, from + CHUNK)));
      }
    }
  });
}
