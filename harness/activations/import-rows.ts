/** @file Rows of imported arrays: parts of one width after one another, checked once, read on demand. */
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { type ElementArray, requireFinite } from '../io/elements.ts';
import { openNpy } from '../io/npy.ts';
import { openSafetensors } from '../io/safetensors.ts';
import type { RowSource } from './read-rows.ts';

/** One array of one file. */
interface Part {
  path: string;
  rows: number;
  width: number;
  read(start: number, end: number): Promise<ElementArray>;
}

/** Sets up to this size are kept in memory. */
const CACHE_BYTES = 256 * 1024 * 1024;
/** Bytes checked at a time. */
const CHECK_BYTES = 16 * 1024 * 1024;

function checkShape(path: string, shape: readonly number[]): { rows: number; width: number } {
  const [rows, width] = shape;
  if (shape.length !== 2 || !rows || !width) {
    throw new UserError(
      `activations ${path}: expected a non-empty array of shape [rows, width], found [${shape.join(', ')}].`,
    );
  }
  return { rows, width };
}

async function openPart(path: string): Promise<Part> {
  if (path.endsWith('.npy')) {
    const file = await openNpy(path);
    if (!file.dtype.startsWith('F')) {
      throw new UserError(`activations ${path}: expected floating-point numbers, found ${file.dtype}.`);
    }
    return { path, ...checkShape(path, file.shape), read: (start, end) => file.readRows(start, end) };
  }
  const source = await openSafetensors(path);
  const candidates = source.names.filter((name) => source.info(name).shape.length === 2);
  const [name] = candidates;
  if (candidates.length !== 1) {
    throw new UserError(
      `activations ${path}: expected one tensor of shape [rows, width], found ${candidates.join(', ') || 'none'}.`,
    );
  }
  return {
    path,
    ...checkShape(path, source.info(name!).shape),
    read: (start, end) => source.readRows(name!, start, end),
  };
}

const toFloat32 = (values: ElementArray) => (values instanceof Float32Array ? values : Float32Array.from(values));

/** Goes through all rows once: values that are not finite name their file and row. */
async function checkFinite({ path, rows, width, read }: Part): Promise<void> {
  const step = Math.max(1, Math.floor(CHECK_BYTES / (4 * width)));
  for (let start = 0; start < rows; start += step) {
    const values = toFloat32(await read(start, Math.min(rows, start + step)));
    requireFinite(values, `activations ${path}: rows from ${start}`);
  }
}

/**
 * The rows of `files` in `folder`, one after another.
 *
 * @throws UserError for arrays that are not two-dimensional, widths that differ, NaN or infinite values.
 */
export async function importRows(folder: string, files: readonly string[]): Promise<RowSource & { n: number }> {
  const parts: Part[] = [];
  for (const file of files) parts.push(await openPart(join(folder, file)));
  const [first] = parts;
  const d_in = first!.width;
  for (const part of parts) {
    if (part.width !== d_in) {
      throw new UserError(
        `activations ${part.path}: expected ${d_in} columns as in ${first!.path}, found ${part.width}; ` +
          'name the files that belong together in activations.json.',
      );
    }
    await checkFinite(part);
  }
  const n = parts.reduce((sum, { rows }) => sum + rows, 0);
  async function read(start: number, end: number): Promise<Float32Array> {
    const out = new Float32Array((end - start) * d_in);
    let offset = 0;
    for (const part of parts) {
      const from = Math.max(start, offset);
      const to = Math.min(end, offset + part.rows);
      if (from < to) out.set(await part.read(from - offset, to - offset), (from - start) * d_in);
      offset += part.rows;
    }
    return out;
  }
  if (n * d_in * 4 > CACHE_BYTES) return { d_in, n, read };
  const cached = await read(0, n);
  return { d_in, n, read: async (start, end) => cached.slice(start * d_in, end * d_in) };
}

/** All rows of one array, for the small ones: prompts, embeddings. */
export async function importArray(
  folder: string,
  file: string,
): Promise<{ x: Float32Array; rows: number; width: number }> {
  const { d_in, n, read } = await importRows(folder, [file]);
  return { x: await read(0, n), rows: n, width: d_in };
}
