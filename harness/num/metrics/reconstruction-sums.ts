/** @file The sums over tokens from which all reconstruction metrics and their intervals follow. */
import type { ReconstructionBatch } from './reconstruction.ts';

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

function batchMean(x: Float32Array, n: number, d_in: number): Float64Array {
  const mean = new Float64Array(d_in);
  for (let i = 0; i < n; i++) for (let c = 0; c < d_in; c++) mean[c]! += x[i * d_in + c]! / n;
  return mean;
}

/** Adds token `row`, without its codes. */
function addToken(sums: TokenSums, { x, xHat }: ReconstructionBatch, row: number, mean: Float64Array): void {
  const d_in = mean.length;
  let [squaredIn, spread] = [0, 0];
  for (let c = 0; c < d_in; c++) {
    const value = x[row * d_in + c]!;
    squaredIn += value * value;
    spread += (value - mean[c]!) ** 2;
    sums.sumX[c]! += value;
  }
  sums.tokens++;
  sums.squaredIn += squaredIn;
  sums.normIn += Math.sqrt(squaredIn);
  if (xHat) addReconstruction(sums, x, xHat, row, { d_in, normIn: Math.sqrt(squaredIn), spread });
}

/** Adds what x̂ of token `row` differs by. */
function addReconstruction(
  sums: TokenSums,
  x: Float32Array,
  xHat: Float32Array,
  row: number,
  { d_in, normIn, spread }: { d_in: number; normIn: number; spread: number },
): void {
  let [error, squaredOut, inner] = [0, 0, 0];
  for (let at = row * d_in; at < (row + 1) * d_in; at++) {
    error += (x[at]! - xHat[at]!) ** 2;
    squaredOut += xHat[at]! * xHat[at]!;
    inner += x[at]! * xHat[at]!;
  }
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

function addCodes(sums: TokenSums, codes: NonNullable<ReconstructionBatch['codes']>, row: number): void {
  for (let j = codes.indptr[row]!; j < codes.indptr[row + 1]!; j++) {
    sums.l0++;
    sums.l1 += Math.abs(codes.values[j]!);
  }
}

/** Sums by cluster of documents. */
export interface ClusterSums {
  add(batch: ReconstructionBatch): void;
  /** One for each cluster that has tokens, by cluster number. */
  parts(): TokenSums[];
  total(): TokenSums;
}

/** Without documents, tokens get running numbers as if each were a document. */
export function createClusterSums(d_in: number, maxClusters: number): ClusterSums {
  const clusters = new Map<number, TokenSums>();
  let unnumbered = 0;

  const parts = () => [...clusters.entries()].sort(([a], [b]) => a - b).map(([, sums]) => sums);
  return {
    add(batch) {
      const n = batch.x.length / d_in;
      const { length = batch.x.length } = batch.xHat ?? {};
      if (!Number.isInteger(n) || length !== batch.x.length) {
        throw new RangeError(`reconstruction: ${batch.x.length} and ${length} values with d_in ${d_in}`);
      }
      if (batch.codes && batch.codes.n !== n)
        throw new RangeError(`reconstruction: ${batch.codes.n} codes for ${n} tokens`);
      if (batch.documents && batch.documents.length !== n) {
        throw new RangeError(`reconstruction: ${batch.documents.length} document numbers for ${n} tokens`);
      }
      const mean = batchMean(batch.x, n, d_in);
      for (let i = 0; i < n; i++) {
        const cluster = (batch.documents?.[i] ?? unnumbered++) % maxClusters;
        let sums = clusters.get(cluster);
        if (!sums) {
          sums = emptySums(d_in);
          clusters.set(cluster, sums);
        }
        addToken(sums, batch, i, mean);
        if (batch.codes) addCodes(sums, batch.codes, i);
      }
    },
    parts,
    total() {
      const total = emptySums(d_in);
      for (const part of parts()) addSums(total, part);
      return total;
    },
  };
}
