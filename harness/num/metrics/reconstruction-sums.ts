/** @file The sums over tokens from which all reconstruction metrics and their intervals follow. */
import type { Csr } from '../csr.ts';
import { type StatisticsKernels, statisticsKernels } from '../kernels/statistics.ts';

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

/** Sums over the tokens of one cluster of documents (or of all). */
export interface TokenSums {
  tokens: number;
  squaredError: number;
  squaredIn: number;
  squaredOut: number;
  /** Σ x·x̂ */
  inner: number;
  cosine: number;
  normRatio: number;
  normIn: number;
  normOut: number;
  l0: number;
  l1: number;
  /** Σ (1 - ‖x-x̂‖²/‖x - batch mean‖²) over tokens that differ from the mean of their batch, and their number. */
  legacy: number;
  legacyTokens: number;
  /** [d_in] */
  sumX: Float64Array;
}

function emptySums(d_in: number): TokenSums {
  const zero = { tokens: 0, squaredError: 0, squaredIn: 0, squaredOut: 0, inner: 0, cosine: 0, normRatio: 0 };
  const more = { normIn: 0, normOut: 0, l0: 0, l1: 0, legacy: 0, legacyTokens: 0 };
  return { ...zero, ...more, sumX: new Float64Array(d_in) };
}

function addSums(into: TokenSums, part: TokenSums): void {
  for (const key of Object.keys(into) as (keyof TokenSums)[]) {
    if (key !== 'sumX') into[key] += part[key];
  }
  part.sumX.forEach((value, c) => {
    into.sumX[c]! += value;
  });
}

/** Numbers of a row in what `compareRows` fills, and of one in what is counted of codes. */
const COMPARED = 5;
const COUNTED = 2;

/** Adds a token, from the sums over its row, which begin at `at`. */
function addToken(sums: TokenSums, compared: Float64Array, at: number, reconstructed: boolean): void {
  // By index: taking an array apart costs more than all that is done here.
  const squaredIn = compared[at]!;
  const normIn = Math.sqrt(squaredIn);
  sums.tokens++;
  sums.squaredIn += squaredIn;
  sums.normIn += normIn;
  if (!reconstructed) return;
  const [spread, error] = [compared[at + 1]!, compared[at + 2]!];
  const [squaredOut, inner] = [compared[at + 3]!, compared[at + 4]!];
  const normOut = Math.sqrt(squaredOut);
  sums.squaredError += error;
  sums.squaredOut += squaredOut;
  sums.inner += inner;
  sums.normOut += normOut;
  sums.cosine += normIn > 0 && normOut > 0 ? inner / (normIn * normOut) : 0;
  sums.normRatio += normIn < 1e-4 ? 1 : normOut / normIn;
  if (spread > 0) {
    sums.legacy += 1 - error / spread;
    sums.legacyTokens++;
  }
}

/** What the native kernel does, for the other backends. */
const compareRowsHere: StatisticsKernels['compareRows'] = (x, y, mean, out) => {
  for (let row = 0, at = 0; row * COMPARED < out.length; row++) {
    let [squaredIn, spread, error, squaredOut, inner] = [0, 0, 0, 0, 0];
    for (let c = 0; c < mean.length; c++, at++) {
      const value = x[at]!;
      squaredIn += value * value;
      spread += (value - mean[c]!) ** 2;
      if (y.length === 0) continue;
      error += (value - y[at]!) ** 2;
      squaredOut += y[at]! * y[at]!;
      inner += value * y[at]!;
    }
    out.set([squaredIn, spread, error, squaredOut, inner], row * COMPARED);
  }
};

/** The same for codes. */
const countCodesHere: StatisticsKernels['countCodes'] = (x, fires, out) => {
  for (let row = 0, at = 0; row * COUNTED < out.length; row++) {
    let [nonZeros, size] = [0, 0];
    for (let f = 0; f < fires.length; f++, at++) {
      if (x[at] === 0) continue;
      nonZeros++;
      size += Math.abs(x[at]!);
      fires[f]!++;
    }
    out.set([nonZeros, size], row * COUNTED);
  }
};

/** Number and sum of the sizes of the non-zeros of each token, [n, 2]; adds to each latent's tokens. */
function countedCodes(codes: TokenCodes, fires: Float64Array): Float64Array {
  const out = new Float64Array(codes.n * COUNTED);
  if ('dense' in codes) {
    const counts = new Int32Array(codes.d_sae);
    (statisticsKernels?.countCodes ?? countCodesHere)(codes.dense, counts, out);
    for (let f = 0; f < fires.length; f++) fires[f]! += counts[f]!;
    return out;
  }
  for (let row = 0; row < codes.n; row++) {
    const [start, end] = [codes.indptr[row]!, codes.indptr[row + 1]!];
    let size = 0;
    for (let j = start; j < end; j++) {
      size += Math.abs(codes.values[j]!);
      fires[codes.indices[j]!]!++;
    }
    out.set([end - start, size], row * COUNTED);
  }
  return out;
}

/** Sums by cluster of documents. */
export interface ClusterSums {
  /** @returns the first token of the batch with a number that is not finite, if any: the sums are lost then. */
  add(batch: ReconstructionBatch): number | undefined;
  /** One for each cluster that has tokens, by cluster number. */
  parts(): TokenSums[];
  total(): TokenSums;
  /** [d_sae] tokens on which each latent fires. */
  fires: Float64Array;
}

function requireFitting({ x, xHat, codes, documents }: ReconstructionBatch, d_in: number, d_sae: number): number {
  const n = x.length / d_in;
  const { length = x.length } = xHat ?? {};
  if (!Number.isInteger(n) || length !== x.length) {
    throw new RangeError(`reconstruction: ${x.length} and ${length} values with d_in ${d_in}`);
  }
  if (codes && codes.n !== n) throw new RangeError(`reconstruction: ${codes.n} codes for ${n} tokens`);
  if (codes && codes.d_sae !== d_sae) throw new RangeError(`codes have d_sae ${codes.d_sae}, expected ${d_sae}`);
  if (documents && documents.length !== n) {
    throw new RangeError(`reconstruction: ${documents.length} document numbers for ${n} tokens`);
  }
  return n;
}

/** Without documents, tokens get running numbers as if each were a document. */
export function createClusterSums(d_in: number, d_sae: number, maxClusters: number): ClusterSums {
  const clusters = new Map<number, TokenSums>();
  const fires = new Float64Array(d_sae);
  let unnumbered = 0;

  function sumsOf(document: number): TokenSums {
    const cluster = document % maxClusters;
    const sums = clusters.get(cluster) ?? emptySums(d_in);
    clusters.set(cluster, sums);
    return sums;
  }

  const parts = () => [...clusters.entries()].sort(([a], [b]) => a - b).map(([, sums]) => sums);
  return {
    add(batch) {
      const { x, xHat, codes, documents } = batch;
      const n = requireFitting(batch, d_in, d_sae);
      const owners = Array.from({ length: n }, (_, i) => sumsOf(documents?.[i] ?? unnumbered++));
      const mean = new Float64Array(d_in);
      for (let i = 0, at = 0; i < n; i++) {
        const { sumX } = owners[i]!;
        for (let c = 0; c < d_in; c++, at++) {
          const value = x[at]!;
          sumX[c]! += value;
          mean[c]! += value;
        }
      }
      for (let c = 0; c < d_in; c++) mean[c]! /= n;
      const compared = new Float64Array(n * COMPARED);
      (statisticsKernels?.compareRows ?? compareRowsHere)(x, xHat ?? new Float32Array(0), mean, compared);
      const counted = codes ? countedCodes(codes, fires) : new Float64Array(n * COUNTED);
      let bad: number | undefined;
      owners.forEach((sums, i) => {
        const row = i * COMPARED;
        const l1 = counted[i * COUNTED + 1]!;
        addToken(sums, compared, row, xHat !== undefined);
        sums.l0 += counted[i * COUNTED]!;
        sums.l1 += l1;
        // A number that is not finite makes the squares of its row so, which those of floats never are by themselves.
        if (bad === undefined && !Number.isFinite(compared[row]! + compared[row + 3]! + l1)) bad = i;
      });
      return bad;
    },
    parts,
    total() {
      const total = emptySums(d_in);
      for (const part of parts()) addSums(total, part);
      return total;
    },
    fires,
  };
}
