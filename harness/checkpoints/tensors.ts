/** @file Named tensors of a checkpoint, whether in .safetensors, .npz or .pt: shapes first, floats on demand. */
import { UserError, unknownName } from '../errors.ts';
import { type ElementArray, FLOAT_TYPES, requireFinite } from '../io/elements.ts';
import { openNpz } from '../io/npy.ts';
import { openSafetensors } from '../io/safetensors.ts';
import { sameShape } from '../io/strided.ts';
import { openTorch } from '../io/torch.ts';

/** A tensor in the common form. */
export interface Floats {
  shape: number[];
  data: Float32Array;
}

export interface NamedWeights {
  path: string;
  /** Sorted. */
  names: string[];
  has(name: string): boolean;
  /** @throws UserError for an unknown name. */
  shapeOf(name: string): number[];
  /** Plain values beside the tensors, which only .pt has: numbers, texts, booleans. */
  values: Readonly<Record<string, string | number | boolean | null>>;
  /** As float32, finite. @throws UserError for an unknown name, another shape than expected, integers, NaN or infinities. */
  read(name: string, expectShape: readonly number[]): Promise<Floats>;
  /** A tensor of one number of any type. @throws UserError unless it is that. */
  scalar(name: string): Promise<number>;
}

export const WEIGHT_ENDINGS = /\.(safetensors|npz|pt|pth|bin)$/;

interface Reader {
  names: string[];
  values?: NamedWeights['values'];
  info(name: string): { dtype: string; shape: number[] };
  read(name: string): Promise<ElementArray>;
}

async function npzReader(path: string): Promise<Reader> {
  const { names, info, read } = await openNpz(path);
  const headers = new Map<string, { dtype: string; shape: number[] }>();
  for (const name of names) headers.set(name, await info(name));
  return { names, info: (name) => headers.get(name)!, read: async (name) => (await read(name)).data };
}

async function readerOf(path: string): Promise<Reader> {
  if (path.endsWith('.npz')) return npzReader(path);
  return path.endsWith('.safetensors') ? openSafetensors(path) : openTorch(path);
}

/**
 * Opens a file of weights by its ending; a .pt by the reader that executes nothing.
 *
 * @throws UserError for a broken, truncated or hostile file.
 */
export async function openWeightsFile(path: string): Promise<NamedWeights> {
  const reader = await readerOf(path);
  const { names, values = {} } = reader;
  const has = (name: string) => names.includes(name);
  const known = (name: string) => {
    if (!has(name)) throw unknownName(`tensor in ${path}`, name, names);
    return name;
  };
  const shapeOf = (name: string) => [...reader.info(known(name)).shape];
  return {
    path,
    names,
    has,
    values,
    shapeOf,
    async read(name, expectShape) {
      const shape = shapeOf(name);
      if (!sameShape(shape, expectShape)) {
        throw new UserError(
          `checkpoint ${path}: tensor '${name}': expected shape [${expectShape.join(', ')}], found [${shape.join(', ')}].`,
        );
      }
      const { dtype } = reader.info(name);
      if (!FLOAT_TYPES.includes(dtype)) {
        throw new UserError(
          `checkpoint ${path}: tensor '${name}': expected a floating type (${FLOAT_TYPES.join(', ')}), found ${dtype}: ` +
            'quantised weights need their scale.',
        );
      }
      const elements = await reader.read(name);
      const data = elements instanceof Float32Array ? elements : new Float32Array(elements);
      requireFinite(data, `checkpoint ${path}: tensor '${name}'`);
      return { shape, data };
    },
    async scalar(name) {
      const shape = shapeOf(name);
      const [value] = shape.every((length) => length === 1) ? await reader.read(name) : [];
      if (value !== undefined && Number.isFinite(value)) return value;
      const found = value ?? `shape [${shape.join(', ')}]`;
      throw new UserError(`checkpoint ${path}: tensor '${name}': expected one finite number, found ${found}.`);
    },
  };
}

/** @throws UserError when a tensor of the class is missing, or there is one that it does not have. */
export function refuseOtherTensors(
  weights: NamedWeights,
  layout: string,
  what: string,
  names: readonly string[],
  optional: readonly string[] = [],
): void {
  const wrong =
    names.find((name) => !weights.has(name)) ?? weights.names.find((name) => ![...names, ...optional].includes(name));
  if (wrong === undefined) return;
  throw new UserError(
    `${layout} ${weights.path}: expected the tensors ${names.join(', ')} of a ${what}; found ` +
      `${weights.names.join(', ') || 'none'}: '${wrong}' is ${weights.has(wrong) ? 'one too many' : 'missing'}.`,
  );
}

/** Side of the blocks that are transposed at a time: a block's lines of both sides stay in the nearest cache. */
const BLOCK = 32;

/** [rows, columns] → [columns, rows]. */
export function transposed({ shape, data }: Floats): Floats {
  const [rows, columns] = shape as [number, number];
  const out = new Float32Array(data.length);
  for (let top = 0; top < rows; top += BLOCK) {
    const bottom = Math.min(rows, top + BLOCK);
    for (let left = 0; left < columns; left += BLOCK) {
      const right = Math.min(columns, left + BLOCK);
      for (let r = top; r < bottom; r++) for (let c = left; c < right; c++) out[c * rows + r] = data[r * columns + c]!;
    }
  }
  return { shape: [columns, rows], data: out };
}

/** All of it times one factor. */
export const times = ({ shape, data }: Floats, factor: number): Floats => ({
  shape,
  data: data.map((value) => value * factor),
});

/** Each row [rows, width] times a factor of its own. */
export function rowsTimes({ shape, data }: Floats, factors: ArrayLike<number>): Floats {
  const width = shape[1]!;
  return { shape, data: data.map((value, i) => value * factors[Math.floor(i / width)]!) };
}

/** Each column of [rows, width], or each entry of [width], times a factor of its own. */
export function columnsTimes({ shape, data }: Floats, factors: ArrayLike<number>): Floats {
  const width = shape.at(-1)!;
  return { shape, data: data.map((value, i) => value * factors[i % width]!) };
}

/** The Euclidean length of each row of [rows, width]. */
export function rowNorms({ shape: [rows, width], data }: Floats): Float64Array {
  const norms = new Float64Array(rows!);
  for (let i = 0; i < data.length; i++) norms[Math.floor(i / width!)]! += data[i]! ** 2;
  return norms.map(Math.sqrt);
}

/** One value for each of n latents. */
export const filled = (n: number, value: number): Floats => ({ shape: [n], data: new Float32Array(n).fill(value) });
