/** @file Reading codes row by row, whichever form they have. */
import type { Codes } from './methods.ts';

/** Calls back for each non-zero entry of one row. */
export type RowReader = (row: number, visit: (latent: number, value: number) => void) => void;

/**
 * The values of a batch of codes, read from the device once. The tensors stay the caller's. The reader visits the
 * non-zero entries of a row: in ascending order of the latents for dense codes, in stored order for k-sparse ones.
 */
export async function readCodes(codes: Codes): Promise<RowReader> {
  if (codes.kind === 'dense') {
    const values = await codes.values.data();
    const width = codes.values.shape[1];
    return (row, visit) => {
      for (let at = row * width, latent = 0; latent < width; latent++, at++) {
        if (values[at] !== 0) visit(latent, values[at]!);
      }
    };
  }
  const [indices, values] = await Promise.all([codes.indices.data(), codes.values.data()]);
  const k = codes.values.shape[1];
  return (row, visit) => {
    for (let at = row * k; at < (row + 1) * k; at++) {
      if (values[at] !== 0) visit(indices[at]!, values[at]!);
    }
  };
}

/** Frees the tensors of codes. */
export function disposeCodes(codes: Codes): void {
  codes.values.dispose();
  if (codes.kind === 'topk') codes.indices.dispose();
}
