/** @file Reading and writing .npy arrays, reading .npz archives. */

import type { FileHandle } from 'node:fs/promises';
import { suggest, UserError } from '../errors.ts';
import { atomicWriteFile } from './atomic.ts';
import type { ElementArray } from './elements.ts';
import { ELEMENT_BYTES, elementsOf, readElements, readExactly } from './elements.ts';
import type { NpyHeader } from './npy-header.ts';
import { NPY_PREFIX_BYTES, npyDataStart, parseNpyHeader } from './npy-header.ts';
import { withFile } from './open-file.ts';
import { elementCount, rowMajor } from './strided.ts';
import type { ZipEntry } from './zip.ts';
import { firstContentBytes, readZipEntries, readZipEntry, storedContentAt, zipContentAt } from './zip.ts';

/** An array: row-major elements. Float64 stays `Float64Array`; integers as in {@link ElementArray}. */
export interface NpyArray {
  /** Element type in the file, by its safetensors name. */
  dtype: string;
  shape: number[];
  data: ElementArray;
}

/** An opened .npy file; elements are read on demand. */
export interface NpyFile {
  path: string;
  /** Element type by its safetensors name. */
  dtype: string;
  shape: number[];
  /** The whole array, in row-major order whatever the file's. */
  read(): Promise<NpyArray>;
  /** Rows `from` (inclusive) to `to` (exclusive) of a row-major array, for sets larger than memory. */
  readRows(from: number, to: number): Promise<ElementArray>;
}

/** Strides of a column-major array. */
function columnStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(0, axis)));
}

/** Header of the array that starts at `start` and may take at most `available` bytes. */
async function headerAt(handle: FileHandle, start: number, available: number, where: string): Promise<NpyHeader> {
  if (available < NPY_PREFIX_BYTES) throw new UserError(`${where}: expected a .npy array, found ${available} bytes.`);
  const prefix = new Uint8Array(NPY_PREFIX_BYTES);
  await readExactly(handle, prefix, start, where);
  const dataStart = npyDataStart(prefix, where);
  if (dataStart > available)
    throw new UserError(`${where}: the header ends at ${dataStart}, the file at ${available}: truncated?`);
  const bytes = new Uint8Array(dataStart);
  await readExactly(handle, bytes, start, where);
  const header = parseNpyHeader(bytes, where);
  const needed = elementCount(header.shape) * ELEMENT_BYTES[header.type];
  if (dataStart + needed > available) {
    throw new UserError(
      `${where}: shape (${header.shape.join(', ')}) of ${header.type} needs ${needed} bytes, found ${available - dataStart}: truncated?`,
    );
  }
  return header;
}

async function readArray(handle: FileHandle, start: number, header: NpyHeader, where: string): Promise<NpyArray> {
  const { type, bigEndian, shape } = header;
  const data = await readElements(handle, {
    position: start + header.dataStart,
    count: elementCount(shape),
    type,
    bigEndian,
    keepF64: true,
    where,
  });
  return { dtype: type, shape, data: header.fortran ? rowMajor(data, shape, columnStrides(shape)) : data };
}

/**
 * Open a .npy file: reads its header only.
 *
 * @throws UserError for a missing, truncated or malformed file, object arrays and unknown types.
 */
export async function openNpy(path: string): Promise<NpyFile> {
  const where = `npy ${path}`;
  const header = await withFile('npy', path, async (handle) => headerAt(handle, 0, (await handle.stat()).size, where));
  const { type, shape, bigEndian } = header;
  return {
    path,
    dtype: type,
    shape,
    read: () => withFile('npy', path, (handle) => readArray(handle, 0, header, where)),
    readRows(from, to) {
      const [rows = 0, ...rest] = shape;
      if (header.fortran) throw new UserError(`${where}: rows of a column-major array; save it with order='C'.`);
      if (shape.length === 0 || !(from >= 0 && from <= to && to <= rows)) {
        throw new UserError(`${where}: rows ${from} to ${to} asked of shape (${shape.join(', ')}).`);
      }
      const width = elementCount(rest);
      const position = header.dataStart + from * width * ELEMENT_BYTES[type];
      const range = { position, count: (to - from) * width, type, bigEndian, keepF64: true, where };
      return withFile('npy', path, (handle) => readElements(handle, range));
    },
  };
}

/** Read a whole .npy file. See {@link openNpy}. */
export async function readNpy(path: string): Promise<NpyArray> {
  return (await openNpy(path)).read();
}

async function readMember(handle: FileHandle, entry: ZipEntry, where: string): Promise<NpyArray> {
  if (entry.method === 0) {
    const start = await storedContentAt(handle, entry, where);
    return readArray(handle, start, await headerAt(handle, start, entry.size, where), where);
  }
  const bytes = await readZipEntry(handle, entry, where);
  if (bytes.length < NPY_PREFIX_BYTES)
    throw new UserError(`${where}: expected a .npy array, found ${bytes.length} bytes.`);
  const header = parseNpyHeader(bytes.subarray(0, npyDataStart(bytes, where)), where);
  const { type, bigEndian, shape } = header;
  const range = { count: elementCount(shape), type, bigEndian, keepF64: true, where };
  const data = elementsOf(bytes.subarray(header.dataStart), range);
  return { dtype: type, shape, data: header.fortran ? rowMajor(data, shape, columnStrides(shape)) : data };
}

/** Far beyond the header of an array without fields, the only kind that is read. */
const PACKED_HEADER_BYTES = 4096;

/** Header of a member, without its elements: of a packed one only the beginning is unpacked. */
async function memberHeader(handle: FileHandle, entry: ZipEntry, where: string): Promise<NpyHeader> {
  if (entry.method === 0) return headerAt(handle, await zipContentAt(handle, entry, where), entry.size, where);
  const bytes = await firstContentBytes(handle, entry, PACKED_HEADER_BYTES, where);
  if (bytes.length < NPY_PREFIX_BYTES)
    throw new UserError(`${where}: expected a .npy array, found ${bytes.length} bytes.`);
  const dataStart = npyDataStart(bytes, where);
  if (dataStart > bytes.length)
    throw new UserError(`${where}: the header ends at ${dataStart}, expected at most ${bytes.length}.`);
  return parseNpyHeader(bytes.subarray(0, dataStart), where);
}

/** An opened .npz archive. */
export interface NpzFile {
  path: string;
  /** Names of the arrays, sorted, without `.npy`. */
  names: string[];
  /** Type and shape by the header alone. @throws UserError for an unknown name or a malformed header. */
  info(name: string): Promise<{ dtype: string; shape: number[] }>;
  /** @throws UserError for an unknown name or a malformed array. */
  read(name: string): Promise<NpyArray>;
}

/**
 * Open a .npz archive (numpy.savez or savez_compressed): reads its directory only.
 *
 * @throws UserError for something that is not an archive.
 */
export async function openNpz(path: string): Promise<NpzFile> {
  const entries = await withFile('npy', path, (handle) => readZipEntries(handle, `npz ${path}`));
  const names = [...entries.keys()].filter((name) => name.endsWith('.npy')).map((name) => name.slice(0, -4));
  names.sort();
  const member = <T>(name: string, read: (handle: FileHandle, entry: ZipEntry, where: string) => Promise<T>) => {
    const entry = entries.get(`${name}.npy`);
    if (entry === undefined) {
      const close = suggest(name, names).join(', ') || names.slice(0, 10).join(', ');
      throw new UserError(`npz ${path}: no array '${name}'; it holds ${close}.`);
    }
    return withFile('npy', path, (handle) => read(handle, entry, `npz ${path}: array '${name}'`));
  };
  return {
    path,
    names,
    async info(name) {
      const { type, shape } = await member(name, memberHeader);
      return { dtype: type, shape };
    },
    read: async (name) => member(name, readMember),
  };
}

/**
 * Write a row-major array as .npy (version 1, little-endian), atomically; the bytes of numpy.save.
 *
 * @throws UserError when the disk is full or the folder cannot be written.
 * @throws Error when the shape does not fit the data.
 */
export async function writeNpy(path: string, shape: readonly number[], data: ElementArray): Promise<void> {
  if (elementCount(shape) !== data.length)
    throw new Error(`npy ${path}: shape (${shape.join(', ')}) with ${data.length} values`);
  const code =
    data instanceof Float32Array
      ? '<f4'
      : data instanceof Float64Array
        ? '<f8'
        : data instanceof Int32Array
          ? '<i4'
          : '|u1';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${code}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = Buffer.alloc(10 + length, ' ');
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  header.writeUInt16LE(length, 8);
  header.write(text, 10, 'latin1');
  header[header.length - 1] = 0x0a;
  await atomicWriteFile(path, Buffer.concat([header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]));
}
