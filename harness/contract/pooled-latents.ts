/** @file The latents of whole items: the maximum over an item's kept positions, kept sparse for sparse methods. */
import { UserError } from '../errors.ts';
import { type Csr, csrConcat, csrToDense } from '../num/csr.ts';
import { poolRows } from '../num/pooling.ts';
import { tf } from '../num/tf.ts';
import { codesCsr, disposeCodes } from './codes-csr.ts';
import type { ActivationSet } from './data.ts';
import { type KeptBatch, scanKept } from './kept-rows.ts';
import type { FittedMethod } from './methods.ts';

/** Latents of items after pooling over positions. */
export type PooledLatents = {
  items: number;
  d_sae: number;
  /** Mean number of non-zero latents of a kept position. */
  l0: number;
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
  const parts: Csr[] = [];
  const max = new Float32Array(sparse ? 0 : items * d_sae);
  const min = new Float32Array(sparse ? 0 : items * d_sae);
  let nonZeros = 0;
  let positions = 0;
  for await (const batch of scanKept(activations, ENCODE_ROWS)) {
    options.signal?.throwIfAborted();
    const groups = itemOfRows(batch);
    const codes = tf.tidy(() => encode(tf.tensor2d(batch.x, [batch.rows, activations.d_in])));
    const csr = await codesCsr(codes);
    disposeCodes(codes);
    requireFinite(csr.values, csr.indices);
    nonZeros += csr.values.length;
    positions += batch.rows;
    const pooled = poolRows(csr, groups, batch.items, 'max');
    if (sparse) parts.push(pooled);
    else {
      const lowest = poolRows({ ...csr, values: csr.values.map((value) => -value) }, groups, batch.items, 'max');
      max.set(csrToDense(pooled), batch.firstItem * d_sae);
      const negated = csrToDense(lowest);
      min.set(
        negated.map((value) => (value === 0 ? 0 : -value)),
        batch.firstItem * d_sae,
      );
    }
    options.progress?.(batch.firstItem + batch.items, items);
  }
  const common = { items, d_sae, l0: nonZeros / Math.max(positions, 1) };
  return sparse ? { ...common, kind: 'sparse', max: csrConcat(parts) } : { ...common, kind: 'dense', max, min };
}

function itemOfRows({ bounds, items, firstItem, rows }: KeptBatch): Uint32Array {
  const groups = new Uint32Array(rows);
  for (let i = 0; i < items; i++) {
    if (bounds[i] === bounds[i + 1]) {
      throw new UserError(
        `activations: item ${firstItem + i}: expected at least one kept position, found none; remove the empty item`,
      );
    }
    groups.fill(i, bounds[i], bounds[i + 1]);
  }
  return groups;
}

function requireFinite(values: Float32Array, latents: Uint32Array): void {
  for (let at = 0; at < values.length; at++) {
    if (Number.isFinite(values[at])) continue;
    throw new UserError(
      `latent ${latents[at]}: expected finite activations, found ${values[at]}; check the method's weights`,
    );
  }
}
