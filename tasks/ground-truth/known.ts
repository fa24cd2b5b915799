/** @file What is known of the world, made once for all methods: the features of the test rows, and their directions. */
import type { Prepared } from '../../harness/contract.ts';
import type { Csr } from '../../harness/kit/index.ts';

type Arrays = Prepared['arrays'];

/** @param directions Row-major [features, d]. */
export function keepKnown({ d_sae, indptr, indices, values }: Csr, directions: Float32Array): Arrays {
  return {
    bounds: { shape: [indptr.length], data: Int32Array.from(indptr) },
    features: { shape: [indices.length], data: Int32Array.from(indices) },
    magnitudes: { shape: [values.length], data: values },
    directions: { shape: [d_sae, directions.length / d_sae], data: directions },
  };
}

export function knownFrom({ bounds, features, magnitudes, directions }: Arrays): {
  truth: Csr;
  directions: Float32Array;
} {
  const indptr = Uint32Array.from(bounds!.data);
  const [d_sae] = directions!.shape as [number, number];
  const [indices, values] = [Uint32Array.from(features!.data), magnitudes!.data as Float32Array];
  return {
    truth: { n: indptr.length - 1, d_sae, indptr, indices, values },
    directions: directions!.data as Float32Array,
  };
}
