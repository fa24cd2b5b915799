/** @file The header of a GGUF file (versions 2 and 3): metadata and the places of the tensors, parsed with bounds. */
import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { shown, UserError } from '../errors.ts';
import { type GgufType, ggufType } from './gguf-types.ts';
import { utf8 } from './utf8.ts';

/** A value of the metadata: bigint only for 64-bit numbers beyond ±2^53. */
export type GgufValue = number | bigint | boolean | string | GgufValue[];

/** A tensor as the header describes it. */
export interface GgufTensor {
  type: GgufType;
  /** Row-major: the last axis is the one whose numbers lie side by side. The file holds it in reverse. */
  shape: number[];
  /** First byte, counted from the start of the file. */
  start: number;
  /** First byte after it. */
  end: number;
}

export interface GgufHeader {
  version: number;
  metadata: ReadonlyMap<string, GgufValue>;
  /** In the order of the file. */
  tensors: ReadonlyMap<string, GgufTensor>;
}

/** The largest published header (a vocabulary of 262,144 with its merges) is some 20 MB. */
const MAX_HEADER_BYTES = 256 * 1024 * 1024;
/** The format's own bounds of a key and of a tensor's name. */
const MAX_KEY = 65_535;
const MAX_NAME = 1024;
/** Chat templates have some ten thousand characters. */
const MAX_STRING = 16 * 1024 * 1024;
const MAX_KEYS = 100_000;
const MAX_TENSORS = 1_000_000;
/** ggml's own bound. */
const MAX_DIMS = 4;
/** Published files hold lists of values; lists of lists are allowed by the format. */
const MAX_NESTING = 3;
const MAX_ALIGNMENT = 1 << 20;
/** Bytes read at a time. */
const WINDOW = 1024 * 1024;

const MAGIC = 0x46554747;

/** Bytes of the fixed kinds of values by their number in the format; 8 is a text, 9 a list. */
const VALUE_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
const TEXT = 8;
const LIST = 9;
/** The fewest bytes that a value of a kind has: a text its length, a list its kind and length. */
const leastBytes = (kind: number) => VALUE_BYTES[kind] ?? (kind === TEXT ? 8 : 12);

/**
 * Reads a file from its begin on, within bounds. Without promises: vocabularies have some hundred thousand values, for which
 * these take several times as long as the reading.
 */
function createCursor({ fd }: FileHandle, fileSize: number, where: string) {
  const limit = Math.min(fileSize, MAX_HEADER_BYTES);
  let window = new Uint8Array();
  let begin = 0;
  let at = 0;

  function moveWindow(length: number): void {
    window = new Uint8Array(length);
    begin = at;
    for (let done = 0; done < length; ) {
      const read = readSync(fd, window, done, length - done, begin + done);
      if (read === 0) {
        throw new UserError(`${where}: the file ends early: expected ${length} bytes at ${begin}, found ${done}.`);
      }
      done += read;
    }
  }

  /** The next bytes as a view. */
  function take(length: number, what: string): DataView {
    if (at + length > limit) {
      const mend = limit < fileSize ? `expected a header of at most ${limit} bytes` : 'the file ends early: truncated?';
      throw new UserError(`${where}: ${what} at byte ${at}: ${mend}`);
    }
    if (at < begin || at + length > begin + window.length) {
      moveWindow(Math.min(Math.max(WINDOW, length), fileSize - at));
    }
    const view = new DataView(window.buffer, at - begin, length);
    at += length;
    return view;
  }

  function size(what: string): number {
    const value = take(8, what).getBigUint64(0, true);
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    throw new UserError(`${where}: ${what}: expected a size, found ${value}.`);
  }

  return {
    take,
    size,
    u32: (what: string) => take(4, what).getUint32(0, true),
    text(what: string, most: number): string {
      const length = size(`the length of ${what}`);
      if (length > most) throw new UserError(`${where}: ${what}: expected at most ${most} bytes, found ${length}.`);
      const { buffer, byteOffset } = take(length, what);
      return utf8(new Uint8Array(buffer, byteOffset, length), `${where}: ${what}`);
    },
    position: () => at,
    remaining: () => limit - at,
  };
}

type Cursor = ReturnType<typeof createCursor>;

function fixedValue(view: DataView, kind: number): number | bigint | boolean | undefined {
  switch (kind) {
    case 0:
      return view.getUint8(0);
    case 1:
      return view.getInt8(0);
    case 2:
      return view.getUint16(0, true);
    case 3:
      return view.getInt16(0, true);
    case 4:
      return view.getUint32(0, true);
    case 5:
      return view.getInt32(0, true);
    case 6:
      return view.getFloat32(0, true);
    case 7:
      return view.getUint8(0) > 1 ? undefined : view.getUint8(0) === 1;
    case 12:
      return view.getFloat64(0, true);
    default: {
      const wide = kind === 10 ? view.getBigUint64(0, true) : view.getBigInt64(0, true);
      const value = Number(wide);
      return Number.isSafeInteger(value) ? value : wide;
    }
  }
}

function readValue(cursor: Cursor, kind: number, what: string, where: string, depth: number): GgufValue {
  const bytes = VALUE_BYTES[kind];
  if (bytes !== undefined) {
    const value = fixedValue(cursor.take(bytes, what), kind);
    if (value !== undefined) return value;
    throw new UserError(`${where}: ${what}: expected true (1) or false (0), found another byte.`);
  }
  if (kind === TEXT) return cursor.text(what, MAX_STRING);
  if (kind !== LIST) throw new UserError(`${where}: ${what}: expected a type of value from 0 to 12, found ${kind}.`);
  if (depth >= MAX_NESTING) throw new UserError(`${where}: ${what}: expected at most ${MAX_NESTING} lists in a list.`);
  const inner = cursor.u32(what);
  const count = cursor.size(`the length of ${what}`);
  // Checked before anything is made of it: a small file may claim any length.
  if (count * leastBytes(inner) > cursor.remaining()) {
    throw new UserError(`${where}: ${what}: claims ${count} values, more than the file holds: truncated?`);
  }
  const values: GgufValue[] = [];
  for (let i = 0; i < count; i++) values.push(readValue(cursor, inner, what, where, depth + 1));
  return values;
}

function readMetadata(cursor: Cursor, count: number, where: string): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.text(`key ${i}`, MAX_KEY);
    const what = `the value of ${shown(key)}`;
    if (metadata.has(key)) throw new UserError(`${where}: the key ${shown(key)} occurs twice.`);
    metadata.set(key, readValue(cursor, cursor.u32(what), what, where, 0));
  }
  return metadata;
}

/** A tensor with its place in the data. */
type Placed = Omit<GgufTensor, 'start' | 'end'> & { offset: number; bytes: number };

function readTensor(cursor: Cursor, what: string, where: string): Placed {
  const dims = cursor.u32(what);
  if (dims < 1 || dims > MAX_DIMS) {
    throw new UserError(`${where}: ${what}: expected 1 to ${MAX_DIMS} dimensions, found ${dims}.`);
  }
  const shape: number[] = [];
  for (let i = 0; i < dims; i++) shape.unshift(cursor.size(`a dimension of ${what}`));
  const count = shape.reduce((product, size) => product * size, 1);
  if (!(count >= 1 && Number.isSafeInteger(count * 8))) {
    throw new UserError(`${where}: ${what}: expected sizes of 1 or more, found [${shape.join(', ')}].`);
  }
  const number = cursor.u32(what);
  const type = ggufType(number);
  if (!type) throw new UserError(`${where}: ${what}: expected a type of ggml, found number ${number}.`);
  const row = shape.at(-1)!;
  if (row % type.block !== 0) {
    throw new UserError(`${where}: ${what}: ${type.name} has blocks of ${type.block} numbers, found rows of ${row}.`);
  }
  const offset = cursor.size(`the offset of ${what}`);
  return { type, shape, offset, bytes: (count / type.block) * type.bytes };
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>, where: string): number {
  const value = metadata.get('general.alignment') ?? 32;
  const isPower = typeof value === 'number' && value >= 1 && value <= MAX_ALIGNMENT && (value & (value - 1)) === 0;
  if (isPower && Number.isInteger(value)) return value;
  throw new UserError(
    `${where}: general.alignment: expected a power of two up to ${MAX_ALIGNMENT}, found ${shown(value)}.`,
  );
}

/** Tensors follow one another, each on the next aligned byte, as ggml demands: no overlap, no hole, nothing cut off. */
function placeTensors(
  placed: ReadonlyMap<string, Placed>,
  { dataStart, alignment, fileSize }: { dataStart: number; alignment: number; fileSize: number },
  where: string,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const [name, { type, shape, offset, bytes }] of placed) {
    const of = `${where}: tensor ${shown(name)}`;
    const [start, end] = [dataStart + offset, dataStart + offset + bytes];
    if (offset % alignment !== 0) {
      throw new UserError(`${of}: expected an offset that is a multiple of ${alignment}, found ${offset}.`);
    }
    if (!(end <= fileSize)) {
      throw new UserError(`${of}: ends at byte ${end}, the file at ${fileSize}: truncated? Fetch the file again.`);
    }
    tensors.set(name, { type, shape, start, end });
  }
  let [before, at] = ['the header', dataStart];
  for (const [name, { start, end }] of [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (start < at) {
      throw new UserError(`${where}: tensor ${shown(name)} overlaps ${before} by ${at - start} bytes.`);
    }
    if (start - at >= alignment) {
      throw new UserError(`${where}: ${start - at} bytes between ${before} and ${shown(name)} belong to no tensor.`);
    }
    [before, at] = [shown(name), end];
  }
  return tensors;
}

/**
 * Reads the header of an open file.
 *
 * @param where Starts error messages: the format and the file.
 * @throws UserError naming key or tensor, expected and found, for another format, another version, a file that is cut off,
 * names that occur twice, and sizes beyond the bounds above.
 */
export async function readGgufHeader(handle: FileHandle, where: string): Promise<GgufHeader> {
  const { size: fileSize } = await handle.stat();
  if (fileSize < 24) throw new UserError(`${where}: expected a GGUF file, found ${fileSize} bytes.`);
  const cursor = createCursor(handle, fileSize, where);
  if (cursor.u32('the magic number') !== MAGIC) {
    throw new UserError(`${where}: expected a GGUF file, which begins with the letters GGUF; found another format.`);
  }
  const version = cursor.u32('the version');
  if (version !== 2 && version !== 3) {
    const big = version % 65_536 === 0 ? ', of a big-endian file' : '';
    throw new UserError(`${where}: expected version 2 or 3, little-endian; found ${version}${big}: convert it again.`);
  }
  const tensorCount = cursor.size('the number of tensors');
  const keyCount = cursor.size('the number of keys');
  if (tensorCount > MAX_TENSORS || keyCount > MAX_KEYS) {
    throw new UserError(
      `${where}: expected at most ${MAX_TENSORS} tensors and ${MAX_KEYS} keys, found ${tensorCount} and ${keyCount}.`,
    );
  }
  const metadata = readMetadata(cursor, keyCount, where);
  const placed = new Map<string, Placed>();
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.text(`the name of tensor ${i}`, MAX_NAME);
    if (placed.has(name)) throw new UserError(`${where}: tensor ${shown(name)} occurs twice.`);
    placed.set(name, readTensor(cursor, `tensor ${shown(name)}`, where));
  }
  const alignment = alignmentOf(metadata, where);
  const dataStart = Math.ceil(cursor.position() / alignment) * alignment;
  return { version, metadata, tensors: placeTensors(placed, { dataStart, alignment, fileSize }, where) };
}
