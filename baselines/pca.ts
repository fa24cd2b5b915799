/** @file Principal components of the activations. */
import { defineBaseline, tf, UserError } from '../harness/contract.ts';
import { covariance, createRng, symmetricEigen } from '../harness/kit/index.ts';

interface Options {
  components: number;
  rows: number;
}

/**
 * Standard deviation of the last component that is kept, relative to the norm of the activations: they are float32 numbers
 * out of long sums, so that below it a component's direction is rounding and another instruction set finds another one.
 */
const DETERMINED = 1e-6;

/** How many components, in order of their variances, the rows determine. */
function determinedOf(variances: Float64Array, mean: Float64Array): number {
  const meanSquare = mean.reduce((sum, value) => sum + value * value, 0);
  const scale = variances.reduce((sum, value) => sum + Math.max(0, value), meanSquare);
  return variances.filter((variance) => variance > DETERMINED ** 2 * scale).length;
}

/**
 * Codes are the centred activation in the basis of the covariance's eigenvectors, largest variance first; decoding adds
 * the mean back. With all components the reconstruction is exact; with k it is the best linear one of rank k.
 * Covariance and eigenvectors in float64; the sign of a component makes its largest entry positive. Components that the
 * rows do not determine (fewer rows than d_in, dependent coordinates) are dropped, and the fit is marked.
 */
export default defineBaseline<Options>({
  id: 'pca',
  title: 'Principal components (PCA)',
  paper: 'Pearson 1901; Hotelling 1933',
  version: 2,
  options: {
    components: { type: 'integer', minimum: 0, default: 0, description: 'Components kept; 0 = all d_in.' },
    rows: {
      type: 'integer',
      minimum: 2,
      default: 65536,
      description: 'Kept positions that the covariance is computed from, drawn without replacement.',
    },
  },
  needs: 'activations',
  seeded: false,
  validate({ d_in }, { components }) {
    if (components <= d_in) return;
    throw new UserError(`pca: components must be at most d_in = ${d_in}, found ${components}; lower it or use 0`);
  },
  async fit({ activations, options, progress }) {
    const { d_in } = activations;
    const kept = activations.keep.reduce((sum, keep) => sum + keep, 0);
    const rows = Math.min(kept, options.rows);
    const wanted = options.components === 0 ? d_in : options.components;
    if (rows < 2)
      throw new UserError(`pca: expected at least 2 kept positions, found ${rows}; collect more activations`);
    const sampleSeed = createRng('pca/rows').int(2 ** 31);
    for await (const { x } of activations.shuffled(rows, sampleSeed)) {
      progress(0, 2, 'covariance');
      const { mean, covariance: matrix } = covariance(x, d_in);
      if (!matrix.every(Number.isFinite))
        throw new UserError('pca: expected finite activations, found NaN or Infinity');
      progress(1, 2, 'eigenvectors');
      const { values, vectors } = symmetricEigen(matrix, d_in);
      const determined = determinedOf(values, mean);
      if (determined === 0)
        throw new UserError(`pca: expected activations that differ, found the same in all of ${rows} positions`);
      const components = Math.min(wanted, determined);
      const message = `${wanted - components} of ${wanted} components dropped: ${rows} rows determine ${determined}.`;
      return {
        tensors: {
          mean: { shape: [d_in], data: Float32Array.from(mean) },
          components: {
            shape: [components, d_in],
            data: Float32Array.from(vectors.subarray(0, components * d_in)),
          },
          variances: { shape: [d_in], data: Float32Array.from(values) },
        },
        json: { rows },
        ...(components < wanted ? { marks: [{ code: 'components-dropped', message }] } : {}),
      };
    }
    throw new Error('internal: the activations gave no batch');
  },
  restore(state, { d_in }) {
    const stored = state.tensors['components']!;
    const count = stored.shape[0]!;
    const basis = tf.tensor2d(stored.data, [count, d_in]);
    const mean = tf.tensor1d(state.tensors['mean']!.data);
    return {
      d_in,
      d_sae: count,
      sparse: false,
      encode: (x) => ({ kind: 'dense', values: tf.tidy(() => tf.matMul(tf.sub(x, mean), basis, false, true)) }),
      decode: (codes) => {
        if (codes.kind !== 'dense') throw new Error('internal: the codes of pca are dense');
        return tf.tidy(() => tf.add(tf.matMul(codes.values, basis), mean));
      },
      directions: () => stored.data.slice(),
      dispose: () => tf.dispose([basis, mean]),
    };
  },
});
