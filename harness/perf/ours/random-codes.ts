/** @file Sparse codes for the evaluation measurements: latents uniform, values in (0, 1]. */
import type { Csr } from '../../num/csr.ts';
import { createRng } from '../../num/rng.ts';

/** `n` rows with `l0` different latents each. */
export function randomCodes(n: number, d_sae: number, l0: number): Csr {
  const rng = createRng(0).fork('codes');
  const indptr = Uint32Array.from({ length: n + 1 }, (_, i) => i * l0);
  const indices = new Uint32Array(n * l0);
  for (let i = 0; i < n; i++) indices.set(rng.sample(d_sae, l0).sort(), i * l0);
  const values = rng.fillUniform(new Float32Array(n * l0)).map((value) => 1 - value);
  return { n, d_sae, indptr, indices, values };
}
