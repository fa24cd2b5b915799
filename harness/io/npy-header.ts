/** @file The header of .npy arrays (format versions 1 to 3). */

import { UserError } from '../errors.ts';
import type { ElementType } from './elements.ts';

/** What a .npy header says. */
export interface NpyHeader {
  /** The element type by its safetensors name. */
  type: ElementType;
  bigEndian: boolean;
  /** Column-major order. */
  fortran: boolean;
  shape: number[];
  /** Bytes before the first element, counted from the magic. */
  dataStart: number;
}

/** NumPy itself refuses longer headers from files that it does not trust. */
export const MAX_NPY_HEADER_BYTES = 10_000;
/** NumPy's own limit is 64; 16 is beyond every real set. */
const MAX_RANK = 16;

/** NumPy's type codes without the byte order. */
const TYPES: Readonly<Record<string, ElementType>> = {
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
  i1: 'I8',
  i2: 'I16',
  i4: 'I32',
  i8: 'I64',
  u1: 'U8',
  u2: 'U16',
  u4: 'U32',
  u8: 'U64',
  b1: 'BOOL',
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Bytes that must be read before the length of the header is known. */
export const NPY_PREFIX_BYTES = 12;

/**
 * Where the data starts, from the first {@link NPY_PREFIX_BYTES} bytes.
 *
 * @throws UserError when it is not a .npy array.
 */
export function npyDataStart(prefix: Uint8Array, where: string): number {
  if (!MAGIC.every((byte, i) => prefix[i] === byte)) {
    throw new UserError(`${where}: expected a .npy array (it starts with \\x93NUMPY), found another format.`);
  }
  const version = prefix[6]!;
  if (version < 1 || version > 3) throw new UserError(`${where}: expected .npy version 1, 2 or 3, found ${version}.`);
  const view = new DataView(prefix.buffer, prefix.byteOffset);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_NPY_HEADER_BYTES) {
    throw new UserError(`${where}: the header claims ${length} bytes, expected at most ${MAX_NPY_HEADER_BYTES}.`);
  }
  return (version === 1 ? 10 : 12) + length;
}

/**
 * Parse the header's Python dictionary.
 *
 * @param bytes Everything before the data.
 * @throws UserError for object arrays (pickles are never executed), structured and unknown types, bad shapes.
 */
export function parseNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const text = new TextDecoder().decode(bytes.subarray(bytes[6] === 1 ? 10 : 12)).trim();
  const descr = /'descr':\s*('([^']*)'|\[)/.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text);
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(text);
  if (!text.startsWith('{') || !text.endsWith('}') || descr === null || order === null || shapeText === null) {
    throw new UserError(
      `${where}: expected a header with descr, fortran_order and shape, found ${JSON.stringify(text.slice(0, 120))}.`,
    );
  }
  const code = descr[2] ?? 'a structured type';
  const type = /^[<>|=]?[a-z]\d$/.test(code) ? TYPES[code.slice(-2)] : undefined;
  if (type === undefined) {
    const object = code.endsWith('O')
      ? ' Object arrays hold pickles, which are never executed: save plain numbers.'
      : '';
    throw new UserError(`${where}: cannot read type ${code}; readable are ${Object.keys(TYPES).join(', ')}.${object}`);
  }
  const parts = shapeText[1]!.split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  const shape = parts.map(Number);
  if (shape.length > MAX_RANK || !parts.every((part, i) => /^\d+L?$/.test(part) && Number.isSafeInteger(shape[i]))) {
    throw new UserError(
      `${where}: expected a shape of at most ${MAX_RANK} non-negative integers, found (${shapeText[1]}).`,
    );
  }
  return { type, bigEndian: code.startsWith('>'), fortran: order[1] === 'True', shape, dataStart: bytes.length };
}
