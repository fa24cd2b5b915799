/** @file The latents of whole items: the maximum over an item's kept positions, kept sparse for sparse methods. */

import type { FittedMethod, PooledLatents } from '../contract/methods.ts';
import type { Codes } from '../contract/sae.ts';
import { UserError } from '../errors.ts';
import { type Csr, csrConcat, csrFromDense, csrToDense, unsortedFromTopk } from '../num/csr.ts';
import { peek } from '../num/peek.ts';
import { poolDenseRows, poolRows } from '../num/pooling.ts';
import { tf } from '../num/tf.ts';
import { disposeCodes } from './codes.ts';
import { ENCODE_ROWS, type KeptBatch, type KeptSource, scanKept } from './kept-rows.ts';

type Encoder = Pick<FittedMethod, 'encode' | 'd_sae' | 'sparse'>;
interface PoolOptions {
  signal?: AbortSignal;
  progress?: (items: number, total: number) => void;
}

/**
 * Encodes every kept position of `activations` and pools each latent over each item. A latent that is absent from a
 * position has the value 0 there. Sparse methods give CSR [items, d_sae], others dense arrays of both extremes.
 *
 * @throws UserError when an item has no kept position, or a code is not finite.
 */
export async function poolLatents(
  method: Encoder,
  activations: KeptSource,
  options: PoolOptions = {},
): Promise<PooledLatents> {
  const { encode, d_sae, sparse } = method;
  if (!encode || d_sae === undefined) throw new Error('internal: poolLatents needs a method that encodes');
  const items = activations.bounds.length - 1;
  const parts: Csr[] = [];
  const max = new Float32Array(sparse ? 0 : items * d_sae);
  const min = new Float32Array(sparse ? 0 : items * d_sae);
  let nonZeros = 0;
  let positions = 0;
  for await (const batch of scanKept(activations, ENCODE_ROWS)) {
    options.signal?.throwIfAborted();
    requireRows(batch);
    const codes = tf.tidy(() => encode(tf.tensor2d(batch.x, [batch.rows, activations.d_in])));
    const pooled =
      codes.kind === 'dense' ? await poolDense(codes, batch.bounds, !sparse) : await poolSparse(codes, batch.bounds);
    disposeCodes(codes);
    nonZeros += pooled.nonZeros;
    positions += batch.rows;
    if (sparse) parts.push(pooled.sparse());
    else {
      const extremes = pooled.extremes();
      max.set(extremes.max, batch.firstItem * d_sae);
      min.set(extremes.min, batch.firstItem * d_sae);
    }
    options.progress?.(batch.firstItem + batch.items, items);
  }
  const common = { items, d_sae, l0: nonZeros / Math.max(positions, 1) };
  return sparse ? { ...common, kind: 'sparse', max: csrConcat(parts) } : { ...common, kind: 'dense', max, min };
}

/** The latents of a batch of items: the maximum of each as sparse rows, or both extremes as dense ones. */
interface PooledBatch {
  nonZeros: number;
  sparse(): Csr;
  extremes(): { max: Float32Array; min: Float32Array };
}

async function poolDense({ values }: Codes, bounds: Uint32Array, both: boolean): Promise<PooledBatch> {
  const width = values.shape[1];
  try {
    const { nonZeros, ...extremes } = poolDenseRows((await peek(values)) as Float32Array, width, bounds, both);
    const sparse = () => csrFromDense(extremes.max, bounds.length - 1, width);
    return { nonZeros, sparse, extremes: () => extremes };
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`${error.message}; check the method's weights`);
    throw error;
  }
}

async function poolSparse(codes: Codes & { kind: 'topk' }, bounds: Uint32Array): Promise<PooledBatch> {
  const values = (await peek(codes.values)) as Float32Array;
  const csr = unsortedFromTopk(await peek(codes.indices), values, ...codes.values.shape, codes.d_sae);
  requireFinite(csr.values, csr.indices);
  const groups = itemOfRows(bounds);
  const largest = (rows: Csr) => poolRows(rows, groups, bounds.length - 1, 'max');
  return {
    nonZeros: csr.values.length,
    sparse: () => largest(csr),
    extremes() {
      const negated = csrToDense(largest({ ...csr, values: csr.values.map((value) => -value) }));
      return { max: csrToDense(largest(csr)), min: negated.map((value) => (value === 0 ? 0 : -value)) };
    },
  };
}

function itemOfRows(bounds: Uint32Array): Uint32Array {
  const groups = new Uint32Array(bounds.at(-1)!);
  for (let item = 0; item + 1 < bounds.length; item++) groups.fill(item, bounds[item], bounds[item + 1]);
  return groups;
}

function requireRows({ bounds, items, firstItem }: KeptBatch): void {
  for (let i = 0; i < items; i++) {
    if (bounds[i] !== bounds[i + 1]) continue;
    throw new UserError(
      `activations: item ${firstItem + i}: expected at least one kept position, found none; remove the empty item`,
    );
  }
}

function requireFinite(values: Float32Array, latents: Uint32Array): void {
  for (let at = 0; at < values.length; at++) {
    if (Number.isFinite(values[at])) continue;
    throw new UserError(
      `latent ${latents[at]}: expected finite activations, found ${values[at]}; check the method's weights`,
    );
  }
}
