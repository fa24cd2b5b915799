/** @file One file of imported activations: an array [rows, width], and columns with one entry a row beside it. */
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import type { ElementArray } from '../io/elements.ts';
import { openNpy, openNpz } from '../io/npy.ts';
import { openSafetensors } from '../io/safetensors.ts';

/** Tensors of a file that are read beside the array. */
export const COLUMNS = ['labels', 'groups'] as const;
export type ColumnName = (typeof COLUMNS)[number];

/** One array of one file. */
export interface ImportPart {
  path: string;
  /** `npy`, `npz` or `safetensors`. */
  kind: string;
  dtype: string;
  rows: number;
  width: number;
  read(start: number, end: number): Promise<ElementArray>;
  columns: Partial<Record<ColumnName, () => Promise<ElementArray>>>;
  /** Names of tensors that nothing reads. */
  unread: string[];
}

/** Archives are unpacked whole; larger sets are read row by row from the other kinds. */
const MAX_NPZ_BYTES = 512 * 1024 * 1024;

/** An array inside of a file, before it is known what it is. */
interface Member {
  name: string;
  dtype: string;
  shape: readonly number[];
  read(): Promise<ElementArray>;
  readRows(start: number, end: number): Promise<ElementArray>;
}

function checkShape(path: string, shape: readonly number[]): { rows: number; width: number } {
  const [rows, width] = shape;
  if (shape.length !== 2 || !rows || !width) {
    throw new UserError(
      `activations ${path}: expected a non-empty array of shape [rows, width], found [${shape.join(', ')}].`,
    );
  }
  return { rows, width };
}

async function npyMember(path: string): Promise<Member> {
  const { dtype, shape, read, readRows } = await openNpy(path);
  return { name: '', dtype, shape, read: async () => (await read()).data, readRows };
}

async function safetensorsMembers(path: string): Promise<Member[]> {
  const source = await openSafetensors(path);
  return source.names.map((name) => ({
    name,
    ...source.info(name),
    read: () => source.read(name),
    readRows: (start, end) => source.readRows(name, start, end),
  }));
}

async function npzMembers(path: string): Promise<Member[]> {
  const archive = await openNpz(path);
  const members: Member[] = [];
  let bytes = 0;
  for (const name of archive.names) {
    const { shape, data } = await archive.read(name);
    bytes += data.byteLength;
    if (bytes > MAX_NPZ_BYTES) {
      throw new UserError(
        `activations ${path}: expected an archive of at most ${MAX_NPZ_BYTES} bytes, since it is unpacked whole, found more; save the array as .npy.`,
      );
    }
    const width = shape.length === 0 ? 1 : data.length / shape[0]!;
    members.push({
      name,
      dtype: data instanceof Float64Array ? 'F64' : data instanceof Float32Array ? 'F32' : 'I32',
      shape,
      read: async () => data,
      readRows: async (start, end) => data.subarray(start * width, end * width),
    });
  }
  return members;
}

/** The member that holds the activations. */
function arrayOf(path: string, members: readonly Member[]): Member {
  const candidates = members.filter(({ shape }) => shape.length === 2);
  const [found] = candidates;
  if (found !== undefined && candidates.length === 1) return found;
  const names = candidates.map(({ name }) => `'${name}'`).join(', ');
  throw new UserError(
    `activations ${path}: expected one tensor of shape [rows, width], found ${names || 'none'}; save it alone.`,
  );
}

/**
 * Opens one part.
 *
 * @throws UserError for a file without one array [rows, width] of floating-point numbers.
 */
export async function openPart(folder: string, file: string): Promise<ImportPart> {
  const path = join(folder, file);
  const kind = file.slice(file.lastIndexOf('.') + 1);
  let members: Member[];
  if (kind === 'npy') members = [await npyMember(path)];
  else members = await (kind === 'npz' ? npzMembers(path) : safetensorsMembers(path));
  const array = kind === 'npy' ? members[0]! : arrayOf(path, members);
  const size = checkShape(path, array.shape);
  if (!/^B?F\d/.test(array.dtype)) {
    throw new UserError(`activations ${path}: expected floating-point numbers, found ${array.dtype}.`);
  }
  const columns: ImportPart['columns'] = {};
  const unread: string[] = [];
  for (const { name, shape, read } of members) {
    if (name === array.name) continue;
    const column = COLUMNS.find((known) => known === name);
    if (column === undefined) unread.push(name);
    else if (shape.length === 1) columns[column] = read;
    else
      throw new UserError(
        `activations ${path}: ${name}: expected one number an item, found shape [${shape.join(', ')}].`,
      );
  }
  return { path, kind, dtype: array.dtype, ...size, read: array.readRows, columns, unread };
}
