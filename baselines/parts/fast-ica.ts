/** @file FastICA on whitened rows: all components at once (symmetric), log cosh as the contrast. */
import { type Tensor2D, tf } from '../../harness/contract.ts';
import { peek, symmetricEigen } from '../../harness/kit/index.ts';

/** What the iteration came to. */
export interface FastIca {
  /** Unmixing of whitened rows, row-major [k, k], orthogonal: sources = rows · Wᵀ. */
  unmixing: Float64Array;
  iterations: number;
  /** max over components of |1 − |cos|| between the last two steps. */
  change: number;
  converged: boolean;
}

/**
 * Hyvärinen 1999, as scikit-learn's `FastICA(algorithm='parallel', fun='logcosh')`: W ← tanh(W·z)·zᵀ/n − diag(mean of
 * 1 − tanh²)·W, then W ← (W·Wᵀ)^(−1/2)·W, until no component turns by more than `tolerance` or `most` steps are done.
 * Products in float32, the decorrelation in float64.
 *
 * @param whitened [n, k]: of mean 0, its covariance (divisor n) the identity.
 * @param start [k, k], row-major, of full rank; it is decorrelated first.
 * @throws RangeError where W·Wᵀ is not of full rank.
 */
export async function fastIca(
  whitened: Tensor2D,
  start: Float64Array,
  options: {
    tolerance: number;
    most: number;
    signal?: AbortSignal | undefined;
    progress?: (done: number, total: number) => void;
  },
): Promise<FastIca> {
  const [n, k] = whitened.shape;
  let unmixing = decorrelated(start, k);
  let change = Infinity;
  let iterations = 0;
  while (iterations < options.most && change >= options.tolerance) {
    options.signal?.throwIfAborted();
    const [products, slopes] = tf.tidy(() => {
      const W = tf.tensor2d(Float32Array.from(unmixing), [k, k]);
      const bent = tf.tanh(tf.matMul(whitened, W, false, true));
      return [tf.div(tf.matMul(bent, whitened, true), n), tf.mean(tf.sub(1, tf.square(bent)), 0)] as const;
    });
    const [product, slope] = [await peek(products), await peek(slopes)];
    const next = decorrelated(
      unmixing.map((value, at) => product[at]! - slope[Math.floor(at / k)]! * value),
      k,
    );
    tf.dispose([products, slopes]);
    change = largestTurn(unmixing, next, k);
    unmixing = next;
    iterations++;
    options.progress?.(iterations, options.most);
  }
  return { unmixing, iterations, change, converged: change < options.tolerance };
}

function largestTurn(before: Float64Array, after: Float64Array, k: number): number {
  let most = 0;
  for (let row = 0; row < k; row++) {
    let cosine = 0;
    for (let at = row * k; at < (row + 1) * k; at++) cosine += before[at]! * after[at]!;
    most = Math.max(most, Math.abs(Math.abs(cosine) - 1));
  }
  return most;
}

/** (W·Wᵀ)^(−1/2)·W: the orthogonal matrix nearest to W [k, k]. */
function decorrelated(W: Float64Array, k: number): Float64Array {
  const gram = new Float64Array(k * k);
  for (let a = 0; a < k; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += W[a * k + i]! * W[b * k + i]!;
      gram[a * k + b] = sum;
      gram[b * k + a] = sum;
    }
  }
  const { values, vectors } = symmetricEigen(gram, k);
  if (!(values[k - 1]! > Number.EPSILON * k * values[0]!)) {
    throw new RangeError('fast ICA: the components fell together: their matrix has no full rank');
  }
  // Σ over eigenvectors e of e·(eᵀ·W)/√value.
  const out = new Float64Array(k * k);
  const along = new Float64Array(k);
  for (let e = 0; e < k; e++) {
    along.fill(0);
    for (let a = 0; a < k; a++) {
      const weight = vectors[e * k + a]!;
      for (let i = 0; i < k; i++) along[i]! += weight * W[a * k + i]!;
    }
    const scale = 1 / Math.sqrt(values[e]!);
    for (let a = 0; a < k; a++) {
      const weight = vectors[e * k + a]! * scale;
      for (let i = 0; i < k; i++) out[a * k + i]! += weight * along[i]!;
    }
  }
  return out;
}
