/** @file What is known of the world, made once for all methods: the features of training and test rows, and their directions. */
import type { Prepared } from '../../harness/contract.ts';
import type { Csr } from '../../harness/kit/index.ts';

type Arrays = Prepared['arrays'];

/** @param directions Row-major [features, d]. */
export function keepKnown(train: Csr, test: Csr, directions: Float32Array): Arrays {
  return {
    ...rowsKept('train', train),
    ...rowsKept('test', test),
    directions: { shape: [test.d_sae, directions.length / test.d_sae], data: directions },
  };
}

function rowsKept(split: string, { indptr, indices, values }: Csr): Arrays {
  return {
    [`${split}_bounds`]: { shape: [indptr.length], data: Int32Array.from(indptr) },
    [`${split}_features`]: { shape: [indices.length], data: Int32Array.from(indices) },
    [`${split}_magnitudes`]: { shape: [values.length], data: values },
  };
}

/** Features of the training rows that probes and thresholds come from, and of the test rows. */
export function knownFrom(arrays: Arrays): { train: Csr; truth: Csr; directions: Float32Array } {
  const directions = arrays['directions']!;
  const [d_sae] = directions.shape as [number, number];
  const rowsOf = (split: string): Csr => {
    const indptr = Uint32Array.from(arrays[`${split}_bounds`]!.data);
    const indices = Uint32Array.from(arrays[`${split}_features`]!.data);
    return {
      n: indptr.length - 1,
      d_sae,
      indptr,
      indices,
      values: arrays[`${split}_magnitudes`]!.data as Float32Array,
    };
  };
  return { train: rowsOf('train'), truth: rowsOf('test'), directions: directions.data as Float32Array };
}
