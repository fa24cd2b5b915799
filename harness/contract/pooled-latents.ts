/** @file The latents of whole items: the maximum over an item's kept positions, kept sparse for sparse methods. */
import { UserError } from '../errors.ts';
import type { Csr } from '../num/metrics/csr.ts';
import { tf } from '../num/tf.ts';
import { disposeCodes, readCodes } from './code-rows.ts';
import type { ActivationSet } from './data.ts';
import { scanKept } from './kept-rows.ts';
import type { FittedMethod } from './methods.ts';

/** Latents of items after pooling over positions. */
export type PooledLatents = {
  items: number;
  d_sae: number;
  /** Mean number of non-zero latents of a kept position. */
  l0: number;
  /** Whether every item has one position: then `min` equals `max`. */
  single: boolean;
} & (
  | { kind: 'sparse'; max: Csr }
  | {
      kind: 'dense';
      /** Row-major [items, d_sae]. */
      max: Float32Array;
      /** The minimum over positions, the other end of a signed code; row-major [items, d_sae]. */
      min: Float32Array;
    }
);

/** Extremes of one item's latents; `latents` lists those that are non-zero somewhere, in ascending order. */
interface ItemExtremes {
  latents: number[];
  max: Float32Array;
  min: Float32Array;
}

/** Rows encoded at a time: bounds the one [rows, d_sae] block that variants with dense codes make. */
const ENCODE_ROWS = 1024;

/**
 * Encodes every kept position of `activations` and pools each latent over each item. A latent that is absent from a
 * position has the value 0 there. Sparse methods give CSR [items, d_sae], others dense arrays of both extremes.
 *
 * @throws UserError when an item has no kept position, or a code is not finite.
 */
export async function poolLatents(
  method: Pick<FittedMethod, 'encode' | 'd_sae' | 'sparse'>,
  activations: ActivationSet,
  options: { signal?: AbortSignal; progress?: (items: number, total: number) => void } = {},
): Promise<PooledLatents> {
  const { encode, d_sae, sparse } = method;
  if (!encode || d_sae === undefined) throw new Error('internal: poolLatents needs a method that encodes');
  const items = activations.bounds.length - 1;
  const sink = sparse ? sparseSink(items, d_sae) : denseSink(items, d_sae);
  const pool = createItemPool(d_sae);
  let positions = 0;
  for await (const batch of scanKept(activations, ENCODE_ROWS)) {
    options.signal?.throwIfAborted();
    requireKept(batch.bounds, batch.firstItem);
    const codes = tf.tidy(() => encode(tf.tensor2d(batch.x, [batch.rows, activations.d_in])));
    const read = await readCodes(codes);
    disposeCodes(codes);
    for (let i = 0; i < batch.items; i++) {
      for (let row = batch.bounds[i]!; row < batch.bounds[i + 1]!; row++) read(row, pool.visit);
      sink.add(batch.firstItem + i, pool.take(batch.bounds[i + 1]! - batch.bounds[i]!));
    }
    positions += batch.rows;
    options.progress?.(batch.firstItem + batch.items, items);
  }
  return { items, d_sae, l0: pool.nonZeros() / Math.max(positions, 1), single: positions === items, ...sink.done() };
}

function requireKept(bounds: Uint32Array, firstItem: number): void {
  for (let i = 0; i + 1 < bounds.length; i++) {
    if (bounds[i] === bounds[i + 1]) {
      throw new UserError(
        `activations: item ${firstItem + i}: expected at least one kept position, found none; remove the empty item`,
      );
    }
  }
}

/** Extremes of the latents over the positions of one item at a time. */
function createItemPool(d_sae: number) {
  const max = new Float32Array(d_sae);
  const min = new Float32Array(d_sae);
  const seen = new Uint32Array(d_sae);
  let latents: number[] = [];
  let nonZeros = 0;

  const visit = (latent: number, value: number): void => {
    if (!Number.isFinite(value)) {
      throw new UserError(`latent ${latent}: expected finite activations, found ${value}; check the method's weights`);
    }
    nonZeros++;
    if (seen[latent] === 0) {
      latents.push(latent);
      max[latent] = value;
      min[latent] = value;
    } else if (value > max[latent]!) max[latent] = value;
    else if (value < min[latent]!) min[latent] = value;
    seen[latent] = seen[latent]! + 1;
  };

  /** Ends an item of `rows` positions. */
  function take(rows: number): ItemExtremes {
    const taken = latents.sort((a, b) => a - b);
    for (const latent of taken) {
      if (seen[latent]! < rows) {
        max[latent] = Math.max(max[latent]!, 0);
        min[latent] = Math.min(min[latent]!, 0);
      }
      seen[latent] = 0;
    }
    latents = [];
    return { latents: taken, max, min };
  }

  return { visit, take, nonZeros: () => nonZeros };
}

function denseSink(items: number, d_sae: number) {
  const allMax = new Float32Array(items * d_sae);
  const allMin = new Float32Array(items * d_sae);
  return {
    add(item: number, { latents, max, min }: ItemExtremes): void {
      for (const latent of latents) {
        allMax[item * d_sae + latent] = max[latent]!;
        allMin[item * d_sae + latent] = min[latent]!;
      }
    },
    done: () => ({ kind: 'dense' as const, max: allMax, min: allMin }),
  };
}

/** Non-zero maxima of consecutive items. Zero maxima of latents that are negative elsewhere are left out, as zeros are. */
function sparseSink(items: number, d_sae: number) {
  const indptr = new Float64Array(items + 1);
  let indices = new Uint32Array(1024);
  let values = new Float32Array(1024);
  let length = 0;
  return {
    add(item: number, { latents, max }: ItemExtremes): void {
      if (length + latents.length > values.length) {
        const capacity = Math.max(2 * values.length, length + latents.length);
        const [oldIndices, oldValues] = [indices, values];
        indices = new Uint32Array(capacity);
        indices.set(oldIndices);
        values = new Float32Array(capacity);
        values.set(oldValues);
      }
      for (const latent of latents) {
        if (max[latent] === 0) continue;
        indices[length] = latent;
        values[length++] = max[latent]!;
      }
      indptr[item + 1] = length;
    },
    done: () => ({
      kind: 'sparse' as const,
      max: { rows: items, cols: d_sae, indptr, indices: indices.slice(0, length), values: values.slice(0, length) },
    }),
  };
}
