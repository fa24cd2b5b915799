/** @file Principal components of the activations. */
import { defineBaseline, tf, UserError } from '../harness/contract.ts';
import { droppedMark, principalComponents } from '../harness/kit/index.ts';

interface Options {
  components: number;
  rows: number;
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
    const wanted = options.components === 0 ? d_in : options.components;
    const found = await principalComponents('pca', activations, options.rows, progress);
    const components = Math.min(wanted, found.determined);
    const marks = droppedMark(wanted, found);
    return {
      tensors: {
        mean: { shape: [d_in], data: Float32Array.from(found.mean) },
        components: {
          shape: [components, d_in],
          data: Float32Array.from(found.directions.subarray(0, components * d_in)),
        },
        variances: { shape: [d_in], data: Float32Array.from(found.variances) },
      },
      json: { rows: found.rows },
      ...(marks.length > 0 ? { marks } : {}),
    };
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
