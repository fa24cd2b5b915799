/** @file Named arrays with JSON beside them, as steps leave them in the store. */
import { join } from 'node:path';
import { atomicWriteJson } from '../io/atomic.ts';
import { sha256File, sha256Json } from '../io/hash.ts';
import { readJson } from '../io/json.ts';
import { openSafetensors } from '../io/safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../io/safetensors-write.ts';

type Values = Float32Array | Int32Array | Uint8Array;

/** Named arrays of any of the three types, with JSON. */
export interface Arrays<A extends Values = Values> {
  arrays: Record<string, { shape: number[]; data: A }>;
  json?: unknown;
}

const TENSORS = 'arrays.safetensors';
const JSON_FILE = 'data.json';

const dtypeOf = (data: Values): TensorToWrite['dtype'] =>
  data instanceof Float32Array ? 'F32' : data instanceof Int32Array ? 'I32' : 'U8';

/**
 * Writes arrays and JSON into a folder.
 *
 * @throws Error naming the field when the JSON holds NaN or what JSON cannot carry; UserError when it cannot be written.
 */
export async function writeArrays(folder: string, { arrays, json }: Arrays): Promise<void> {
  const tensors = Object.entries(arrays).map(([name, { shape, data }]): [string, TensorToWrite] => {
    const size = shape.reduce((product, length) => product * length, 1);
    if (size !== data.length)
      throw new Error(`array '${name}': shape [${shape}] has ${size} values, data ${data.length}`);
    return [name, { dtype: dtypeOf(data), shape, data }];
  });
  await writeSafetensors(join(folder, TENSORS), Object.fromEntries(tensors));
  await atomicWriteJson(join(folder, JSON_FILE), { json: json ?? null }, { durable: false });
}

/** Reads what {@link writeArrays} wrote. */
export async function readArrays(folder: string): Promise<Arrays> {
  const tensors = await (await openSafetensors(join(folder, TENSORS))).readAll();
  const { json } = (await readJson(join(folder, JSON_FILE), 'store')) as { json: unknown };
  const arrays = Object.entries(tensors).map(
    ([name, { shape, data }]) => [name, { shape, data: data as Values }] as const,
  );
  return { arrays: Object.fromEntries(arrays), json: json ?? undefined };
}

/** Digest of what {@link writeArrays} wrote, whatever else lies in the folder. */
export async function arraysDigest(folder: string): Promise<string> {
  return sha256Json([await sha256File(join(folder, TENSORS)), await sha256File(join(folder, JSON_FILE))]);
}
