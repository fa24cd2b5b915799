/** @file Independent components of the activations. */
import { defineBaseline, type Tensor2D, tf, UserError } from '../harness/contract.ts';
import { createRng, droppedMark, type PrincipalComponents, principalComponents } from '../harness/kit/index.ts';
import { type FastIca, fastIca } from './parts/fast-ica.ts';
import { scaleToUnit } from './parts/unit-vectors.ts';

interface Options {
  components: number;
  rows: number;
  tolerance: number;
  iterations: number;
}

/**
 * FastICA (symmetric, log cosh) on the leading principal components, whitened: codes are the centred activation's sources,
 * of variance 1 on the sample; decoding multiplies them by the mixing matrix and adds the mean. With as many components as
 * coordinates the reconstruction is exact, with k the best linear one of rank k, as of `pca`. The start is one fixed random
 * matrix, so that a rerun gives the same. Components stand in order of the variance that they carry, and each one's sign
 * makes its largest mixing weight positive. A fit that did not converge is marked.
 */
export default defineBaseline<Options>({
  id: 'ica',
  title: 'Independent components (FastICA)',
  paper: 'Hyvärinen 1999, Fast and robust fixed-point algorithms for independent component analysis',
  version: 1,
  options: {
    components: {
      type: 'integer',
      minimum: 0,
      default: 256,
      description: 'Independent components, of as many leading principal ones, at most d_in; 0 = all d_in.',
    },
    rows: {
      type: 'integer',
      minimum: 2,
      default: 16384,
      description: 'Kept positions that they are estimated from, drawn without replacement.',
    },
    tolerance: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1e-4,
      description: 'Largest |1 − |cos|| between two steps of a component at which it counts as converged.',
    },
    iterations: { type: 'integer', minimum: 1, default: 200, description: 'Steps at most.' },
  },
  needs: 'activations',
  seeded: false,
  async fit({ activations, options, signal, progress }) {
    const { d_in } = activations;
    const wanted = options.components === 0 ? d_in : Math.min(d_in, options.components);
    const found = await principalComponents('ica', activations, options.rows, progress);
    const k = Math.min(wanted, found.determined);
    const rng = createRng('ica/start');
    const start = Float64Array.from({ length: k * k }, () => rng.normal());
    const whitened = whiten(found, k);
    const ica = await fastIca(whitened, start, {
      tolerance: options.tolerance,
      most: options.iterations,
      signal,
      progress: (done, total) => progress(done, total, 'components'),
    }).catch((error: unknown) => {
      throw error instanceof RangeError ? new UserError(`ica: ${error.message}; ask for fewer components`) : error;
    });
    whitened.dispose();
    const { unmixing, mixing } = inActivations(found, ica, k);
    const marks = [...droppedMark(wanted, found), ...unconvergedMark(ica, options)];
    return {
      tensors: {
        mean: { shape: [d_in], data: Float32Array.from(found.mean) },
        unmixing: { shape: [k, d_in], data: unmixing },
        mixing: { shape: [k, d_in], data: mixing },
      },
      json: { rows: found.rows, iterations: ica.iterations, change: ica.change, converged: ica.converged },
      ...(marks.length > 0 ? { marks } : {}),
    };
  },
  restore(state, { d_in }) {
    const { shape, data } = state.tensors['mixing']!;
    const count = shape[0]!;
    const mixing = tf.tensor2d(data, [count, d_in]);
    const unmixing = tf.tensor2d(state.tensors['unmixing']!.data, [count, d_in]);
    const mean = tf.tensor1d(state.tensors['mean']!.data);
    return {
      d_in,
      d_sae: count,
      sparse: false,
      encode: (x) => ({ kind: 'dense', values: tf.tidy(() => tf.matMul(tf.sub(x, mean), unmixing, false, true)) }),
      decode: (codes) => {
        if (codes.kind !== 'dense') throw new Error('internal: the codes of ica are dense');
        return tf.tidy(() => tf.add(tf.matMul(codes.values, mixing), mean));
      },
      directions: () => {
        const rows = data.slice();
        for (let row = 0; row < count; row++) scaleToUnit(rows.subarray(row * d_in, (row + 1) * d_in));
        return rows;
      },
      dispose: () => tf.dispose([mixing, unmixing, mean]),
    };
  },
});

/** Standard deviation of a principal component on the sample (divisor n, as the sources' variance of 1 has it). */
const deviation = ({ variances, rows }: PrincipalComponents, i: number) =>
  Math.sqrt((variances[i]! * (rows - 1)) / rows);

/** The sample in its first k principal components, each scaled to variance 1: [rows, k]. */
function whiten(found: PrincipalComponents, k: number): Tensor2D {
  const d = found.mean.length;
  return tf.tidy(() => {
    const basis = Float32Array.from(
      { length: k * d },
      (_, at) => found.directions[at]! / deviation(found, Math.floor(at / d)),
    );
    const centred = tf.sub(tf.tensor2d(found.x, [found.rows, d]), tf.tensor1d(Float32Array.from(found.mean)));
    return tf.matMul(centred, tf.tensor2d(basis, [k, d]), false, true);
  });
}

/** Rows [k, d_in]: what a source reads of the centred activation, and what one unit of it adds. */
function inActivations(found: PrincipalComponents, { unmixing: W }: FastIca, k: number) {
  const d = found.mean.length;
  const components = Array.from({ length: k }, (_, row) => {
    const [reads, adds] = [new Float64Array(d), new Float64Array(d)];
    for (let i = 0; i < k; i++) {
      const [weight, scale] = [W[row * k + i]!, deviation(found, i)];
      for (let j = 0; j < d; j++) {
        reads[j]! += (weight / scale) * found.directions[i * d + j]!;
        adds[j]! += weight * scale * found.directions[i * d + j]!;
      }
    }
    const carried = adds.reduce((sum, value) => sum + value * value, 0);
    const most = adds.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
    return { reads, adds, carried, sign: most < 0 ? -1 : 1 };
  }).sort((a, b) => b.carried - a.carried);
  const [unmixing, mixing] = [new Float32Array(k * d), new Float32Array(k * d)];
  components.forEach(({ reads, adds, sign }, row) => {
    for (let j = 0; j < d; j++) {
      unmixing[row * d + j] = sign * reads[j]!;
      mixing[row * d + j] = sign * adds[j]!;
    }
  });
  return { unmixing, mixing };
}

function unconvergedMark({ converged, iterations, change }: FastIca, { tolerance }: Options) {
  if (converged) return [];
  const message = `not converged: after ${iterations} steps a component still turns by ${change.toExponential(1)} (tolerance ${tolerance}).`;
  return [{ code: 'not-converged', message }];
}
