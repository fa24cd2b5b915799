/** @file How well x̂ reconstructs x, and how sparse the codes are: streamed over batches, summed in float64. */
import { createClusterSums, type ReconstructionBatch, type TokenSums } from './reconstruction-sums.ts';

/** Version of these definitions, recorded with results. */
export const version = 1;

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

/** The metrics that are ratios of sums over documents. */
export type RatioName =
  | 'mse'
  | 'nmse'
  | 'explained_variance'
  | 'cosine'
  | 'l2_ratio'
  | 'relative_reconstruction_bias'
  | 'l0'
  | 'l1';

/** A metric as Σ numerators ÷ Σ denominators, one of each for every cluster of documents. */
export interface ClusterRatio {
  numerators: Float64Array;
  denominators: Float64Array;
}

/** An accumulator over batches. */
export interface Reconstruction {
  /** @returns the first token of the batch with a number that is not finite, if any: nothing measured is of use then. */
  add(batch: ReconstructionBatch): number | undefined;
  metrics(): ReconstructionMetrics;
  /** What intervals and comparisons are made of. Left out: a metric that is undefined. */
  ratios(): Partial<Record<RatioName, ClusterRatio>>;
  /** [d_sae] share of tokens on which each latent fires; empty without codes. */
  densities(): Float64Array;
}

const ratio = (top: number, bottom: number): number | null => (bottom > 0 ? top / bottom : null);

/** Σ‖x‖² - ‖Σx‖²/n: the sum of squares about the mean. */
function scatter(sumSquares: number, squaredSum: number, tokens: number): number {
  return sumSquares - squaredSum / tokens;
}

function squaredLength(vector: Float64Array): number {
  let squared = 0;
  for (let c = 0; c < vector.length; c++) squared += vector[c]! ** 2;
  return squared;
}

/** Σ‖x - x̄‖² of a cluster about the mean of all tokens. */
function scatterAbout({ squaredIn, sumX, tokens }: TokenSums, mean: Float64Array, squaredMean: number): number {
  let inner = 0;
  for (let c = 0; c < mean.length; c++) inner += mean[c]! * sumX[c]!;
  return squaredIn - 2 * inner + tokens * squaredMean;
}

/**
 * An accumulator for activations of `d_in` numbers and, where there are codes, `d_sae` latents. Memory does not grow
 * with the tokens: documents are folded into at most `maxClusters` clusters (document number modulo that), which keeps
 * whole documents together and so keeps them independent.
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
    ratios() {
      const parts = clusters.parts();
      const { tokens, sumX } = clusters.total();
      const mean = sumX.map((value) => value / tokens);
      const squaredMean = squaredLength(mean);
      const column = (of: (part: TokenSums) => number) => Float64Array.from(parts, of);
      const scatters = column((part) => scatterAbout(part, mean, squaredMean));
      const perToken = (of: (part: TokenSums) => number): ClusterRatio => ({
        numerators: column(of),
        denominators: column((part) => part.tokens),
      });
      const errors = column((part) => part.squaredError);
      const ofReconstruction = (): Partial<Record<RatioName, ClusterRatio>> => ({
        mse: perToken((part) => part.squaredError),
        nmse: { numerators: errors, denominators: scatters },
        // Scatter less error over scatter: 1 - nmse.
        explained_variance: { numerators: scatters.map((value, i) => value - errors[i]!), denominators: scatters },
        cosine: perToken((part) => part.cosine),
        l2_ratio: perToken((part) => part.normRatio),
        relative_reconstruction_bias: {
          numerators: column((part) => part.squaredOut),
          denominators: column((part) => part.inner),
        },
      });
      return {
        ...(hasReconstruction ? ofReconstruction() : {}),
        ...(hasCodes ? { l0: perToken((part) => part.l0), l1: perToken((part) => part.l1) } : {}),
      };
    },
    densities,
  };
}
