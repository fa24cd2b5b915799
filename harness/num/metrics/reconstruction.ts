/** @file How well x̂ reconstructs x, and how sparse the codes are: streamed over batches, summed in float64. */
import type { Csr } from '../csr.ts';
import type { Rng } from '../rng.ts';
import { type BootstrapOptions, bootstrapSums, type Estimate } from '../stats/bootstrap.ts';
import { createClusterSums } from './reconstruction-sums.ts';
import { squaredLength, squaredSumsOf } from './squared-sums.ts';

/** Version of these definitions, recorded with results. */
export const version = 1;

/** Codes of n tokens: sparse, or row-major [n, d_sae]. */
export type TokenCodes = Csr | { n: number; d_sae: number; dense: Float32Array };

/** A batch of tokens (or image patches). */
export interface ReconstructionBatch {
  /** [n, d_in] row-major. */
  x: Float32Array;
  /** [n, d_in] row-major; left out for methods that only encode. */
  xHat?: Float32Array;
  /** Codes of the same n tokens; left out for methods without codes. */
  codes?: TokenCodes;
  /** The document of each token, for intervals by document; left out: each token is its own unit of a batch. */
  documents?: ArrayLike<number>;
}

/** Values over all tokens. Null where undefined (no tokens, no variance, no codes). Definitions at `metrics`. */
export interface ReconstructionMetrics {
  tokens: number;
  /** Mean over tokens of ‖x - x̂‖² (summed over d_in). */
  mse: number | null;
  /** Σ‖x - x̂‖² / Σ‖x - x̄‖² with x̄ the mean over all tokens. */
  nmse: number | null;
  /** 1 - nmse: 1 - E‖x-x̂‖² / (E‖x‖² - ‖E x‖²). */
  explained_variance: number | null;
  /** Mean over tokens of 1 - ‖x-x̂‖²/‖x - mean of the batch‖²: what SAEBench's paper printed; depends on the batches. */
  explained_variance_legacy: number | null;
  /** Mean cosine of x and x̂; 0 for a token where either is 0. */
  cosine: number | null;
  /** Mean of ‖x̂‖/‖x‖, 1 where ‖x‖ < 1e-4 (SAEBench's convention). Below 1: shrinkage. */
  l2_ratio: number | null;
  l2_norm_in: number | null;
  l2_norm_out: number | null;
  /** E‖x̂‖² / E[x·x̂] (Rajamanoharan et al. 2404.16014, eq. 10). Below 1: shrinkage. */
  relative_reconstruction_bias: number | null;
  /** Mean number of non-zero latents. */
  l0: number | null;
  /** Mean of Σ|f|. */
  l1: number | null;
  /** Share of latents that fired at least once. */
  fraction_alive: number | null;
  /** Share of latents that fire on more than 1 % and 10 % of tokens. */
  freq_over_1_percent: number | null;
  freq_over_10_percent: number | null;
}

/** The metrics that `intervals` covers. */
export type IntervalName =
  | 'mse'
  | 'nmse'
  | 'explained_variance'
  | 'cosine'
  | 'l2_ratio'
  | 'relative_reconstruction_bias'
  | 'l0'
  | 'l1';

/** An accumulator over batches. */
export interface Reconstruction {
  /** @returns the first token of the batch with a number that is not finite, if any: nothing measured is of use then. */
  add(batch: ReconstructionBatch): number | undefined;
  metrics(): ReconstructionMetrics;
  /** Percentile intervals by cluster bootstrap over documents. Null for a metric that is undefined. */
  intervals(rng: Rng, options?: BootstrapOptions): Record<IntervalName, Estimate | null>;
  /** [d_sae] share of tokens on which each latent fires; empty without codes. */
  densities(): Float64Array;
}

const ratio = (top: number, bottom: number): number | null => (bottom > 0 ? top / bottom : null);

/** Σ‖x‖² - ‖Σx‖²/n: the sum of squares about the mean. */
function scatter(sumSquares: number, squaredSum: number, tokens: number): number {
  return sumSquares - squaredSum / tokens;
}

/** The sums that intervals are made of, beside Σx. */
const SUMMED = [
  'tokens',
  'squaredError',
  'squaredIn',
  'squaredOut',
  'inner',
  'cosine',
  'normRatio',
  'l0',
  'l1',
] as const;

const PLACE = Object.fromEntries(SUMMED.map((name, s) => [name, s])) as Record<(typeof SUMMED)[number], number>;

/**
 * An accumulator for activations of `d_in` numbers and, where there are codes, `d_sae` latents. Memory does not grow
 * with the tokens: documents are folded into at most `maxClusters` clusters (document number modulo that), which keeps
 * whole documents together and so keeps the cluster bootstrap valid.
 */
export function createReconstruction(d_in: number, d_sae: number, maxClusters = 2048): Reconstruction {
  const clusters = createClusterSums(d_in, d_sae, maxClusters);
  let hasCodes = false;
  let hasReconstruction = false;

  const densities = () => {
    const { tokens } = clusters.total();
    return hasCodes ? clusters.fires.map((count) => count / tokens) : new Float64Array(0);
  };

  return {
    add(batch) {
      if (batch.xHat) hasReconstruction = true;
      if (batch.codes) hasCodes = true;
      return clusters.add(batch);
    },
    metrics() {
      const total = clusters.total();
      const { tokens } = total;
      const mean = (sum: number) => ratio(sum, tokens);
      const compared = (sum: number) => (hasReconstruction ? mean(sum) : null);
      const variance = tokens > 0 ? scatter(total.squaredIn, squaredLength(total.sumX), tokens) : 0;
      const nmse = hasReconstruction ? ratio(total.squaredError, variance) : null;
      const density = densities();
      const share = (over: number) => (hasCodes ? density.filter((p) => p > over).length / d_sae : null);
      return {
        tokens,
        mse: compared(total.squaredError),
        nmse,
        explained_variance: nmse === null ? null : 1 - nmse,
        explained_variance_legacy: ratio(total.legacy, total.legacyTokens),
        cosine: compared(total.cosine),
        l2_ratio: compared(total.normRatio),
        l2_norm_in: mean(total.normIn),
        l2_norm_out: compared(total.normOut),
        relative_reconstruction_bias: ratio(total.squaredOut, total.inner),
        l0: hasCodes ? mean(total.l0) : null,
        l1: hasCodes ? mean(total.l1) : null,
        fraction_alive: share(0),
        freq_over_1_percent: share(0.01),
        freq_over_10_percent: share(0.1),
      };
    },
    intervals(rng, options = {}) {
      const parts = clusters.parts();
      const width = SUMMED.length;
      const columns = new Float64Array(parts.length * width);
      const vectors = new Float64Array(parts.length * d_in);
      parts.forEach((part, i) => {
        SUMMED.forEach((name, s) => {
          columns[i * width + s] = part[name];
        });
        vectors.set(part.sumX, i * d_in);
      });
      const squares = squaredSumsOf(vectors, d_in, rng, parts.length > 1 ? (options.resamples ?? 1000) : 0);
      const statistics = (sums: Float64Array, resample: number | null): Record<IntervalName, number | null> => {
        const of = (name: (typeof SUMMED)[number]) => sums[PLACE[name]]!;
        const tokens = of('tokens');
        const compared = (sum: number) => (hasReconstruction ? ratio(sum, tokens) : null);
        const squaredSum = resample === null ? squares.all : squares.resamples[resample]!;
        const nmse = hasReconstruction ? ratio(of('squaredError'), scatter(of('squaredIn'), squaredSum, tokens)) : null;
        return {
          mse: compared(of('squaredError')),
          nmse,
          explained_variance: nmse === null ? null : 1 - nmse,
          cosine: compared(of('cosine')),
          l2_ratio: compared(of('normRatio')),
          relative_reconstruction_bias: ratio(of('squaredOut'), of('inner')),
          l0: hasCodes ? ratio(of('l0'), tokens) : null,
          l1: hasCodes ? ratio(of('l1'), tokens) : null,
        };
      };
      return bootstrapSums(columns, width, statistics, rng, options);
    },
    densities,
  };
}
