/** @file What one file of arrays or of a table holds, for `saxbench validate`: read to its end. */
import { extname } from 'node:path';

/** An array, by its name in the file; a `.npy` has one without a name. */
export interface ArrayDescription {
  name: string;
  /** Element type in the file, by its safetensors name. */
  dtype: string;
  shape: number[];
}

/** A file of arrays, or a table. */
export type FileDescription =
  | { format: 'npy' | 'npz' | 'torch' | 'safetensors'; arrays: ArrayDescription[] }
  | { format: 'csv' | 'tsv' | 'jsonl' | 'parquet' | 'text'; rows: number; columns: string[] };

async function npy(path: string): Promise<FileDescription> {
  const { openNpy } = await import('../io/npy.ts');
  const { requireFinite } = await import('../io/elements.ts');
  const { dtype, shape, read } = await openNpy(path);
  requireFinite((await read()).data, `npy ${path}`);
  return { format: 'npy', arrays: [{ name: '', dtype, shape }] };
}

async function npz(path: string): Promise<FileDescription> {
  const { openNpz } = await import('../io/npy.ts');
  const { requireFinite } = await import('../io/elements.ts');
  const { names, read } = await openNpz(path);
  const arrays: ArrayDescription[] = [];
  for (const name of names) {
    const { dtype, shape, data } = await read(name);
    requireFinite(data, `npz ${path}: array '${name}'`);
    arrays.push({ name, dtype, shape });
  }
  return { format: 'npz', arrays };
}

/** Named tensors, one after another in memory. */
async function tensors(
  format: 'torch' | 'safetensors',
  source: {
    names: readonly string[];
    info(name: string): { dtype: string; shape: number[] };
    read(name: string, options: { finite: boolean }): Promise<unknown>;
  },
): Promise<FileDescription> {
  const arrays: ArrayDescription[] = [];
  for (const name of source.names) {
    await source.read(name, { finite: true });
    arrays.push({ name, ...source.info(name) });
  }
  return { format, arrays };
}

async function csv(path: string, format: 'csv' | 'tsv'): Promise<FileDescription> {
  const { readCsvRows, readCsvRecords } = await import('../io/csv.ts');
  let rows = 0;
  for await (const _ of readCsvRecords(path)) rows++;
  for await (const { fields } of readCsvRows(path)) return { format, rows, columns: fields };
  return { format, rows, columns: [] };
}

/** The keys of records, in the order in which they are first met. */
const keysOf = (known: Set<string>, value: unknown) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const key of Object.keys(value)) known.add(key);
  }
  return known;
};

async function jsonl(path: string): Promise<FileDescription> {
  const { readJsonl } = await import('../io/jsonl.ts');
  const columns = new Set<string>();
  let rows = 0;
  for await (const value of readJsonl(path)) {
    keysOf(columns, value);
    rows++;
  }
  return { format: 'jsonl', rows, columns: [...columns] };
}

async function parquet(path: string): Promise<FileDescription> {
  const { readParquet } = await import('../io/parquet.ts');
  const rows = await readParquet(path);
  return { format: 'parquet', rows: rows.length, columns: [...keysOf(new Set(), rows[0])] };
}

async function text(path: string): Promise<FileDescription> {
  const { MAX_TEXT_BYTES, readText } = await import('../io/json.ts');
  const lines = (await readText(path, 'text', MAX_TEXT_BYTES)).split('\n');
  return { format: 'text', rows: lines.length - (lines.at(-1) === '' ? 1 : 0), columns: [] };
}

/** By a file's ending. */
const READERS: Readonly<Record<string, (path: string) => Promise<FileDescription>>> = {
  '.npy': npy,
  '.npz': npz,
  '.safetensors': async (path) =>
    tensors('safetensors', await (await import('../io/safetensors.ts')).openSafetensors(path)),
  '.pt': async (path) => tensors('torch', await (await import('../io/torch.ts')).openTorch(path)),
  '.pth': async (path) => tensors('torch', await (await import('../io/torch.ts')).openTorch(path)),
  '.csv': (path) => csv(path, 'csv'),
  '.tsv': (path) => csv(path, 'tsv'),
  '.jsonl': jsonl,
  '.parquet': parquet,
  '.txt': text,
};

/** Endings of the files that {@link describeFile} reads. */
export const FILE_ENDINGS: readonly string[] = Object.keys(READERS);

/**
 * Reads a file of arrays or a table to its end; undefined for other endings.
 *
 * @throws UserError for what its reader refuses, and for numbers that are not finite.
 */
export async function describeFile(path: string): Promise<FileDescription | undefined> {
  const ending = extname(path).toLowerCase();
  return Object.hasOwn(READERS, ending) ? READERS[ending]!(path) : undefined;
}

/** Entries that a list is cut to. */
const MAX_SHOWN = 100;

/** The description as lines for a person. */
export function fileInLines(found: FileDescription): string[] {
  const cut = (list: string[]) =>
    list.length > MAX_SHOWN ? [...list.slice(0, MAX_SHOWN), `… and ${list.length - MAX_SHOWN} more`] : list;
  if ('arrays' in found) {
    const { format, arrays } = found;
    const array = ({ name, dtype, shape }: ArrayDescription) => `${name && `${name}: `}${dtype} [${shape.join(', ')}]`;
    if (format === 'npy') return [`npy: ${array(arrays[0]!)}, all finite`];
    const what = format === 'npz' ? 'arrays' : 'tensors';
    return [`${format}: ${arrays.length} ${what}, all finite`, ...cut(arrays.map(array)).map((line) => `  ${line}`)];
  }
  const { format, rows, columns } = found;
  if (format === 'text') return [`text: ${rows} lines`];
  return [`${format}: ${rows} rows, ${columns.length} columns: ${cut(columns).join(', ')}`];
}
