/** @file What the trainer reads off the codes of one batch: sparsity, and which latents fired. */
import type { Codes } from '../contract.ts';
import { hasKernel, runKernels } from '../num/kernels/own.ts';
import { type Tensor2D, tf } from '../num/tf.ts';

/** Sparsity of one batch of codes. */
export interface Firing {
  /** Mean number of non-zero latents an input. */
  l0: number;
  /** [d_sae], non-zero where the latent is non-zero for at least one input. */
  fired: Uint8Array;
}

/** Counts non-zeros; k-sparse codes are read as they are and never made dense. */
export function firing(codes: Codes): Firing {
  if (codes.kind === 'topk') {
    const fired = new Uint8Array(codes.d_sae);
    const indices = codes.indices.dataSync();
    const values = codes.values.dataSync();
    let active = 0;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) continue;
      active++;
      fired[indices[i]!] = 1;
    }
    return { l0: active / codes.values.shape[0], fired };
  }
  return denseFiring(codes.values);
}

function denseFiring(codes: Tensor2D): Firing {
  const [n, d_sae] = codes.shape;
  if (hasKernel('SaxFiring')) {
    const made = tf.tidy(() => runKernels('SaxFiring', { codes }));
    const [fired, count] = made.map((tensor) => tensor.dataSync()) as [Uint8Array, Int32Array];
    tf.dispose(made);
    return { l0: (count[0]! + count[1]! * 2 ** 31) / n, fired };
  }
  const values = codes.dataSync();
  const fired = new Uint8Array(d_sae);
  let active = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) continue;
    active++;
    fired[i % d_sae] = 1;
  }
  return { l0: active / n, fired };
}
