/** @file The safetensors header: parsing and checking. A file that passes cannot make a reader touch a wrong byte. */

import { shown, UserError } from '../errors.ts';
import type { ElementType } from './elements.ts';
import { ELEMENT_BYTES } from './elements.ts';
import { parseJson } from './json.ts';

/** The bound of the reference implementation: a longer header is an attack or a broken length field. */
export const MAX_HEADER_BYTES = 100_000_000;
/** The largest published checkpoints hold some tens of thousands of tensors a file. */
export const MAX_TENSORS = 1_000_000;
/** NumPy's and PyTorch's own limits are 64; real weights have at most 5 dimensions. */
export const MAX_RANK = 16;

/** Element types of the format that exist but are not converted here; listed so that their files still open. */
const UNREAD_BYTES: Readonly<Record<string, number>> = { F8_E5M2: 1, F8_E4M3: 1, F8_E8M0: 1, C64: 8 };

/** One tensor as the header describes it. */
export interface TensorInfo {
  /** Element type by its safetensors name: F32, F16, BF16, I64, … */
  dtype: string;
  shape: number[];
  /** First byte, counted from the start of the file. */
  start: number;
  /** First byte after it. */
  end: number;
}

/** The parsed header of one file. */
export interface SafetensorsHeader {
  /** Tensors sorted by name. */
  tensors: Map<string, TensorInfo>;
  metadata: Record<string, string>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Whether this tensor's type can be converted on reading. */
export function isReadable(dtype: string): dtype is ElementType {
  return Object.hasOwn(ELEMENT_BYTES, dtype);
}

function checkTensor(where: string, entry: unknown, dataStart: number, dataBytes: number): TensorInfo {
  if (!isObject(entry)) throw new UserError(`${where}: expected an object, found ${shown(entry)}.`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !(isReadable(dtype) || Object.hasOwn(UNREAD_BYTES, dtype))) {
    const known = [...Object.keys(ELEMENT_BYTES), ...Object.keys(UNREAD_BYTES)].join(', ');
    throw new UserError(`${where}: unknown dtype ${shown(dtype)}, expected one of ${known}.`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw new UserError(`${where}: expected a shape of non-negative integers, found ${shown(shape)}.`);
  }
  if (shape.length > MAX_RANK) {
    throw new UserError(`${where}: expected at most ${MAX_RANK} dimensions, found ${shape.length}.`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw new UserError(`${where}: expected data_offsets of two non-negative integers, found ${shown(offsets)}.`);
  }
  const [start, end] = offsets as [number, number];
  if (start > end) throw new UserError(`${where}: data_offsets run backwards: [${start}, ${end}].`);
  if (end > dataBytes) {
    throw new UserError(
      `${where}: data_offsets end at ${end}, but the file holds ${dataBytes} bytes of data: truncated? Fetch the file again.`,
    );
  }
  const size = isReadable(dtype) ? ELEMENT_BYTES[dtype] : UNREAD_BYTES[dtype]!;
  const expected = (shape as number[]).reduce((product, n) => product * n, size);
  if (end - start !== expected) {
    throw new UserError(
      `${where}: shape [${shape.join(', ')}] of ${dtype} needs ${expected} bytes, data_offsets give ${end - start}.`,
    );
  }
  return { dtype, shape: shape as number[], start: dataStart + start, end: dataStart + end };
}

/** Tensors must tile the data: no overlap, no hole, nothing behind the last. As in the reference implementation. */
function checkTiling(path: string, tensors: Map<string, TensorInfo>, dataStart: number, dataBytes: number): void {
  const ordered = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let at = dataStart;
  let before = 'the header';
  for (const [name, { start, end }] of ordered) {
    if (start < at)
      throw new UserError(`safetensors ${path}: tensor '${name}' overlaps '${before}' by ${at - start} bytes.`);
    if (start > at) {
      throw new UserError(
        `safetensors ${path}: ${start - at} bytes between '${before}' and '${name}' belong to no tensor.`,
      );
    }
    at = end;
    before = name;
  }
  const rest = dataStart + dataBytes - at;
  if (rest > 0) throw new UserError(`safetensors ${path}: ${rest} bytes after the last tensor belong to no tensor.`);
}

/** The `__metadata__` entry: strings to strings. */
function checkMetadata(path: string, value: unknown): Record<string, string> {
  if (!isObject(value) || !Object.values(value).every((item) => typeof item === 'string')) {
    throw new UserError(`safetensors ${path}: __metadata__ must map strings to strings, found ${shown(value)}.`);
  }
  return value as Record<string, string>;
}

/**
 * Parse and check a header.
 *
 * @param path For messages.
 * @param text The header's JSON text.
 * @param dataStart Position of the first data byte: 8 + length of the header.
 * @param dataBytes Bytes after the header.
 * @throws UserError naming file, tensor, what was expected and what was found.
 */
export function parseHeader(path: string, text: string, dataStart: number, dataBytes: number): SafetensorsHeader {
  const root = parseJson(text, `safetensors ${path}: the header`);
  if (!isObject(root))
    throw new UserError(`safetensors ${path}: expected a JSON object as header, found ${shown(root)}.`);
  const { __metadata__: metadata, ...entries } = root;
  const names = Object.keys(entries).sort();
  if (names.length > MAX_TENSORS) {
    throw new UserError(`safetensors ${path}: expected at most ${MAX_TENSORS} tensors, found ${names.length}.`);
  }
  const tensors = new Map<string, TensorInfo>();
  for (const name of names) {
    tensors.set(name, checkTensor(`safetensors ${path}: tensor '${name}'`, entries[name], dataStart, dataBytes));
  }
  checkTiling(path, tensors, dataStart, dataBytes);
  return { tensors, metadata: metadata === undefined ? {} : checkMetadata(path, metadata) };
}
