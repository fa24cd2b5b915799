/** @file The folder in which collected activations lie: shards of rows, one index of tokens and items, one JSON. */
import { join } from 'node:path';
import type { ActivationSet } from '../contract.ts';
import { UserError } from '../errors.ts';
import { atomicWriteJson } from '../io/atomic.ts';
import type { ElementArray } from '../io/elements.ts';
import { readJson } from '../io/json.ts';
import { openSafetensors, type TensorSource } from '../io/safetensors.ts';
import { writeSafetensors } from '../io/safetensors-write.ts';
import { activationSet } from './activation-set.ts';

export type StoredType = 'float32' | 'float16';

/** `set.json`: written last, so a folder that has it is complete. */
export interface SetDescription {
  format: 'saxbench-activations';
  version: 1;
  subject: string;
  site: string;
  d_in: number;
  dtype: StoredType;
  /** Rows, kept or not. */
  n: number;
  kept: number;
  items: number;
  policy: string;
  key: string;
  shards: { file: string; rows: number }[];
}

/** Columns of `index.safetensors`: one entry a row, `bounds` one an item and one more. */
export interface SetIndex {
  bounds: Uint32Array;
  tokenIds: Int32Array;
  positions: Uint32Array;
  keep: Uint8Array;
}

const DESCRIPTION = 'set.json';
const INDEX = 'index.safetensors';
const STORED = { float32: 'F32', float16: 'F16' } as const;

/** Writes rows to shards as they come and holds one shard's rows in memory. */
export function shardWriter(folder: string, d_in: number, dtype: StoredType, shardBytes = 64 * 1024 * 1024) {
  const capacity = Math.max(1, Math.floor(shardBytes / (4 * d_in)));
  const buffer = new Float32Array(capacity * d_in);
  const shards: SetDescription['shards'] = [];
  let filled = 0;
  async function flush(): Promise<void> {
    if (filled === 0) return;
    const file = `shard-${String(shards.length).padStart(5, '0')}.safetensors`;
    const x = { dtype: STORED[dtype], shape: [filled, d_in], data: buffer.subarray(0, filled * d_in) };
    await writeSafetensors(join(folder, file), { x });
    shards.push({ file, rows: filled });
    filled = 0;
  }
  return {
    /** Adds rows, row-major. */
    async append(x: Float32Array): Promise<void> {
      for (let at = 0; at < x.length; ) {
        const rows = Math.min(capacity - filled, (x.length - at) / d_in);
        buffer.set(x.subarray(at, at + rows * d_in), filled * d_in);
        filled += rows;
        at += rows * d_in;
        if (filled === capacity) await flush();
      }
    },
    /** Writes what is left, the index and the description. */
    async finish(
      description: Omit<SetDescription, 'format' | 'version' | 'shards' | 'd_in' | 'dtype' | 'n' | 'kept' | 'items'>,
      { bounds, tokenIds, positions, keep }: SetIndex,
    ): Promise<void> {
      await flush();
      await writeSafetensors(join(folder, INDEX), {
        bounds: { dtype: 'U32', shape: [bounds.length], data: bounds },
        tokenIds: { dtype: 'I32', shape: [tokenIds.length], data: tokenIds },
        positions: { dtype: 'U32', shape: [positions.length], data: positions },
        keep: { dtype: 'U8', shape: [keep.length], data: keep },
      });
      const full: SetDescription = {
        format: 'saxbench-activations',
        version: 1,
        ...description,
        d_in,
        dtype,
        n: keep.length,
        kept: keep.reduce((sum, flag) => sum + flag, 0),
        items: bounds.length - 1,
        shards,
      };
      await atomicWriteJson(join(folder, DESCRIPTION), full);
    },
  };
}

async function readIndex(folder: string, { n, items }: SetDescription): Promise<SetIndex> {
  const source = await openSafetensors(join(folder, INDEX));
  const column = async (name: string, length: number): Promise<ElementArray> =>
    source.read(name, { expectShape: [length] });
  return {
    bounds: Uint32Array.from(await column('bounds', items + 1)),
    tokenIds: (await column('tokenIds', n)) as Int32Array,
    positions: Uint32Array.from(await column('positions', n)),
    keep: (await column('keep', n)) as Uint8Array,
  };
}

/** Sets of at most so many bytes are held in memory from their first reading on: every method and task reads them. */
const HELD_BYTES = 128 * 1024 * 1024;

/** Reads the whole set once; `read` gives copies of its parts, `view` the parts themselves. */
function heldRows(load: (start: number, end: number) => Promise<Float32Array>, n: number, d_in: number) {
  let all: Promise<Float32Array> | undefined;
  const view = async (start: number, end: number): Promise<Float32Array> => {
    all ??= load(0, n);
    return (await all).subarray(start * d_in, end * d_in);
  };
  return { view, read: async (start: number, end: number) => (await view(start, end)).slice() };
}

/** Rows of consecutive shards by their number in the set. */
function shardReader(sources: TensorSource[], shards: SetDescription['shards'], d_in: number) {
  return async (start: number, end: number): Promise<Float32Array> => {
    const out = new Float32Array((end - start) * d_in);
    let first = 0;
    for (const [i, { rows }] of shards.entries()) {
      const from = Math.max(start, first);
      const to = Math.min(end, first + rows);
      if (from < to) {
        const piece = (await sources[i]!.readRows('x', from - first, to - first)) as Float32Array;
        out.set(piece, (from - start) * d_in);
      }
      first += rows;
    }
    return out;
  };
}

/**
 * Opens a folder that `collectActivations` filled. Rows are read on demand, small sets once and for all.
 *
 * @param options.memoryBytes Bytes that shuffling may hold; default 512 MiB. A set larger than that is not held in memory either.
 * @throws UserError when the folder is incomplete, damaged or of another format.
 */
export async function openActivationSet(
  folder: string,
  options: { memoryBytes?: number } = {},
): Promise<ActivationSet & { description: SetDescription }> {
  const path = join(folder, DESCRIPTION);
  const description = (await readJson(path, 'activations')) as SetDescription;
  if (description?.format !== 'saxbench-activations' || description.version !== 1) {
    throw new UserError(`activations ${path}: expected format saxbench-activations version 1; collect them again.`);
  }
  const { d_in, n, shards, policy, key } = description;
  const index = await readIndex(folder, description);
  const sources: TensorSource[] = [];
  for (const { file, rows } of shards) {
    const source = await openSafetensors(join(folder, file));
    const { shape } = source.info('x');
    if (shape[0] !== rows || shape[1] !== d_in) {
      throw new UserError(`activations ${join(folder, file)}: expected shape [${rows}, ${d_in}], found [${shape}].`);
    }
    sources.push(source);
  }
  const total = shards.reduce((sum, { rows }) => sum + rows, 0);
  if (total !== n) throw new UserError(`activations ${folder}: expected ${n} rows in the shards, found ${total}.`);
  const fromFiles = shardReader(sources, shards, d_in);
  const rows =
    4 * n * d_in <= Math.min(HELD_BYTES, options.memoryBytes ?? HELD_BYTES)
      ? heldRows(fromFiles, n, d_in)
      : { read: fromFiles };
  return { ...activationSet({ d_in, n, ...index, policy, key, ...rows }, options.memoryBytes), description };
}
