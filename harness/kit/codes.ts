/** @file Codes of a batch as sparse rows, whichever form they have. */

import type { Codes } from '../contract/sae.ts';
import { type Csr, csrFromDense, csrFromTopk } from '../num/csr.ts';
import { peek } from '../num/peek.ts';

/** The non-zeros of a batch of codes, read from the device. The tensors stay the caller's. */
export async function codesCsr(codes: Codes): Promise<Csr> {
  const [n, width] = codes.values.shape;
  const values = (await peek(codes.values)) as Float32Array;
  if (codes.kind === 'dense') return csrFromDense(values, n, width);
  return csrFromTopk(await peek(codes.indices), values, n, width, codes.d_sae);
}

/** Frees the tensors of codes. */
export function disposeCodes(codes: Codes): void {
  codes.values.dispose();
  if (codes.kind === 'topk') codes.indices.dispose();
}
