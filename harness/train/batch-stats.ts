/** @file What the trainer reads off the codes of one batch: sparsity, and which latents fired. */
import type { Codes } from '../contract.ts';
import { hasKernel, runKernels } from '../num/kernels/own.ts';
import type { Tensor, Tensor2D } from '../num/tf.ts';

/** Sparsity of one batch of codes. */
export interface Firing {
  /** Mean number of non-zero latents an input. */
  l0: number;
  /** [d_sae], non-zero where the latent is non-zero for at least one input. */
  fired: Uint8Array;
}

/** What has to be read of codes to tell which latents fired. */
export interface FiringRead {
  tensors: Tensor[];
  /** Those of them that were made for it: the caller disposes. */
  made: Tensor[];
  /** From the numbers of the tensors. */
  of(numbers: ArrayLike<number>[]): Firing;
}

/** Counts non-zeros; k-sparse codes are read as they are and never made dense. */
export function firingRead(codes: Codes): FiringRead {
  if (codes.kind === 'dense') return denseFiring(codes.values);
  const { values, indices, d_sae } = codes;
  return {
    tensors: [values, indices],
    made: [],
    of([numbers, latents]) {
      const fired = new Uint8Array(d_sae);
      let active = 0;
      for (let i = 0; i < numbers!.length; i++) {
        if (numbers![i] === 0) continue;
        active++;
        fired[latents![i]!] = 1;
      }
      return { l0: active / values.shape[0], fired };
    },
  };
}

function denseFiring(codes: Tensor2D): FiringRead {
  const [n, d_sae] = codes.shape;
  if (hasKernel('SaxFiring')) {
    const made = runKernels('SaxFiring', { codes });
    return {
      tensors: made,
      made,
      of: ([fired, count]) => ({
        l0: (count![0]! + count![1]! * 2 ** 31) / n,
        fired: fired instanceof Uint8Array ? fired : Uint8Array.from(fired!),
      }),
    };
  }
  return {
    tensors: [codes],
    made: [],
    of([values]) {
      const fired = new Uint8Array(d_sae);
      let active = 0;
      for (let i = 0; i < values!.length; i++) {
        if (values![i] === 0) continue;
        active++;
        fired[i % d_sae] = 1;
      }
      return { l0: active / n, fired };
    },
  };
}
