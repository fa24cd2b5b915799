/** @file The tiny subjects of testdata/ and what PyTorch computed for them, for tests. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { Tensor, Tensor4D, TokenBatch } from '../../../harness/contract.ts';
import { openSafetensors } from '../../../harness/io/safetensors.ts';
import { tf } from '../../../harness/num/tf.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

/** Folder of a subject in testdata/. */
export const testFolder = (name: string): string => join(HERE, '..', 'testdata', name);

/** A file or folder of the shared data, or undefined, with a line printed, where it is absent. */
export function sharedData(name: string): string | undefined {
  const path = join(HERE, '../../../../shared/data', name);
  if (existsSync(path)) return path;
  console.log(`skipped: ${path} is absent`);
  return undefined;
}

/** Tensors of a subject's golden.safetensors. */
export interface Golden {
  names: string[];
  values(name: string): Promise<{ shape: number[]; data: Float32Array | Int32Array }>;
  /** `input_ids` with `mask`. */
  batch(): Promise<TokenBatch>;
  pixels(): Promise<Tensor4D>;
}

export async function readGolden(name: string): Promise<Golden> {
  const source = await openSafetensors(join(testFolder(name), 'golden.safetensors'));
  const values = async (tensor: string) => {
    return { shape: source.info(tensor).shape, data: (await source.read(tensor)) as Float32Array | Int32Array };
  };
  return {
    names: source.names,
    values,
    async batch() {
      const ids = await values('input_ids');
      const [n, length] = ids.shape as [number, number];
      const mask = Uint8Array.from((await values('mask')).data);
      return { n, length, ids: Int32Array.from(ids.data), mask };
    },
    async pixels() {
      const { shape, data } = await values('pixels');
      return tf.tensor4d(data, shape as [number, number, number, number]);
    },
  };
}

/**
 * Fails where two arrays of rows differ by more than `tolerance` in a row that counts.
 *
 * @param mask 1 for each row that counts; all when omitted.
 */
export function assertClose(
  what: string,
  found: Tensor,
  expected: ArrayLike<number>,
  options: { mask?: Uint8Array; tolerance?: number } = {},
): void {
  const { mask, tolerance = 1e-4 } = options;
  const values = found.dataSync();
  assert.is(values.length, expected.length, what);
  const width = mask ? values.length / mask.length : values.length;
  for (let i = 0; i < values.length; i++) {
    if (mask && mask[Math.floor(i / width)] === 0) continue;
    const close = Math.abs(values[i]! - expected[i]!) <= tolerance;
    if (!close) throw new Error(`${what} [${i}]: ${values[i]}, expected ${expected[i]} (shape [${found.shape}])`);
  }
}
