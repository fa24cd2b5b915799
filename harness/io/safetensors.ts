/** @file Reading .safetensors files: the header at once, each tensor on demand, converted to plain typed arrays. */

import { suggest, UserError } from '../errors.ts';
import type { ElementArray } from './elements.ts';
import { ELEMENT_BYTES, FLOAT_TYPES, readElements, readExactly, requireFinite } from './elements.ts';
import { withFile } from './open-file.ts';
import type { SafetensorsHeader, TensorInfo } from './safetensors-header.ts';
import { isReadable, MAX_HEADER_BYTES, parseHeader } from './safetensors-header.ts';
import { elementCount, sameShape } from './strided.ts';
import { utf8 } from './utf8.ts';

/** What to check while reading a tensor. */
export interface ReadOptions {
  /** The shape that the reader needs; another one is a UserError. */
  expectShape?: readonly number[];
  /** Refuse NaN and infinities. Default false. */
  finite?: boolean;
}

/** Named tensors in one file; nothing of the data is in memory until it is read. */
export interface TensorSource {
  /** Path of the file. For messages. */
  path: string;
  /** Names, sorted. */
  names: string[];
  /** The `__metadata__` strings of the file. */
  metadata: Record<string, string>;
  has(name: string): boolean;
  /**
   * Element type (as in the file) and shape.
   * @throws UserError for an unknown name, with the closest known ones.
   */
  info(name: string): { dtype: string; shape: number[] };
  /**
   * All elements, row-major. F32, F16, BF16, F64 → `Float32Array`; U8, BOOL → `Uint8Array`; I8, I16, U16, I32 →
   * `Int32Array`; U32, I64, U64 → `Int32Array` when all fit, else `Float64Array`.
   * @throws UserError for an unknown name, a type that cannot be converted, another shape than expected, non-finite
   * values where `finite` is set, a file that shrank.
   */
  read(name: string, options?: ReadOptions): Promise<ElementArray>;
  /** Like `read`; a tensor of a non-floating type is a UserError. */
  readFloat(name: string, options?: ReadOptions): Promise<Float32Array>;
  /** Rows `from` (inclusive) to `to` (exclusive) along the first axis, for sets larger than memory. */
  readRows(name: string, from: number, to: number): Promise<ElementArray>;
  /** Every tensor, in the order of `names`. */
  readAll(
    options?: Pick<ReadOptions, 'finite'>,
  ): Promise<Record<string, { dtype: string; shape: number[]; data: ElementArray }>>;
}

/** Of a {@link TensorSource} what the weights of a model need, whatever their files' format. */
export type WeightSource = Pick<TensorSource, 'path' | 'names' | 'has' | 'info' | 'readFloat'>;

/** A `UserError` naming the tensors that come closest. */
function unknownTensor(path: string, name: string, names: readonly string[]): UserError {
  const close = suggest(name, names);
  const hint = close.length > 0 ? `; did you mean ${close.join(', ')}?` : ` among its ${names.length} tensors.`;
  return new UserError(`safetensors ${path}: no tensor '${name}'${hint}`);
}

async function readHeader(path: string) {
  return withFile('safetensors', path, async (handle) => {
    const { size } = await handle.stat();
    if (size < 8) throw new UserError(`safetensors ${path}: expected at least 8 bytes, found ${size}.`);
    const prefix = new Uint8Array(8);
    await readExactly(handle, prefix, 0, `safetensors ${path}`);
    const length = new DataView(prefix.buffer).getBigUint64(0, true);
    if (length > BigInt(MAX_HEADER_BYTES)) {
      throw new UserError(
        `safetensors ${path}: the header claims ${length} bytes, expected at most ${MAX_HEADER_BYTES}: not a safetensors file?`,
      );
    }
    const headerBytes = Number(length);
    if (8 + headerBytes > size) {
      throw new UserError(
        `safetensors ${path}: the header claims ${headerBytes} bytes, the file holds ${size - 8} after its length: truncated?`,
      );
    }
    const bytes = new Uint8Array(headerBytes);
    await readExactly(handle, bytes, 8, `safetensors ${path}`);
    const text = utf8(bytes, `safetensors ${path}: the header`);
    return parseHeader(path, text, 8 + headerBytes, size - 8 - headerBytes);
  });
}

async function readRange(path: string, name: string, info: TensorInfo, first: number, count: number) {
  const { dtype } = info;
  if (!isReadable(dtype)) {
    const known = Object.keys(ELEMENT_BYTES).join(', ');
    throw new UserError(
      `safetensors ${path}: tensor '${name}' has dtype ${dtype}; readable are ${known}: convert it first.`,
    );
  }
  const where = `safetensors ${path}: tensor '${name}'`;
  const position = info.start + first * ELEMENT_BYTES[dtype];
  return withFile('safetensors', path, (handle) => readElements(handle, { position, count, type: dtype, where }));
}

/** The methods of a {@link TensorSource} over a file's header. */
function tensorSource(path: string, { tensors, metadata }: SafetensorsHeader): TensorSource {
  const names = [...tensors.keys()];
  const find = (name: string) => {
    const found = tensors.get(name);
    if (found === undefined) throw unknownTensor(path, name, names);
    return found;
  };
  const source: TensorSource = {
    path,
    names,
    metadata,
    has: (name) => tensors.has(name),
    info(name) {
      const { dtype, shape } = find(name);
      return { dtype, shape: [...shape] };
    },
    async read(name, options = {}) {
      const info = find(name);
      const { expectShape } = options;
      if (expectShape !== undefined && !sameShape(info.shape, expectShape)) {
        throw new UserError(
          `safetensors ${path}: tensor '${name}': expected shape [${expectShape.join(', ')}], found [${info.shape.join(', ')}].`,
        );
      }
      const values = await readRange(path, name, info, 0, elementCount(info.shape));
      if (options.finite) requireFinite(values, `safetensors ${path}: tensor '${name}'`);
      return values;
    },
    async readFloat(name, options) {
      const info = find(name);
      if (!FLOAT_TYPES.includes(info.dtype)) {
        throw new UserError(
          `safetensors ${path}: tensor '${name}': expected a floating type (${FLOAT_TYPES.join(', ')}), found ${info.dtype}.`,
        );
      }
      return (await source.read(name, options)) as Float32Array;
    },
    async readRows(name, from, to) {
      const info = find(name);
      const [rows = 0, ...rest] = info.shape;
      if (info.shape.length === 0 || !(from >= 0 && from <= to && to <= rows)) {
        throw new UserError(
          `safetensors ${path}: tensor '${name}': rows ${from} to ${to} asked of shape [${info.shape.join(', ')}].`,
        );
      }
      const width = elementCount(rest);
      return readRange(path, name, info, from * width, (to - from) * width);
    },
    async readAll(options) {
      const all: [string, { dtype: string; shape: number[]; data: ElementArray }][] = [];
      for (const name of names) all.push([name, { ...source.info(name), data: await source.read(name, options) }]);
      // Not by assignment: a tensor may be called __proto__.
      return Object.fromEntries(all);
    },
  };
  return source;
}

/**
 * Open one .safetensors file: reads and checks its header only.
 *
 * @throws UserError for a missing, truncated, hostile or malformed file, naming tensor, expected and found.
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  return tensorSource(path, await readHeader(path));
}
