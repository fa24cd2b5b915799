/**
 * @file The monosemanticity score MS (Pach et al. 2504.02821), exactly and in linear time.
 *
 * MS = Σ_{n<m} t_n t_m cos(e_n, e_m) / Σ_{n<m} t_n t_m, with t the activations of one latent min-max scaled over the
 * items and e the items' embeddings by an independent encoder. With unit e and w = Σ t e, u = Σ t, v = Σ t²:
 * MS = (‖w‖² - v) / (u² - v).
 */
import { type Csc, type Csr, csrToCsc } from '../csr.ts';
import { type StatisticsKernels, statisticsKernels } from '../kernels/statistics.ts';

/** Version of this definition, recorded with results. */
export const version = 1;

/** Why a latent has no score: never fires; the same non-zero value everywhere; above its minimum on one item only. */
export type MsStatus = 'scored' | 'dead' | 'constant' | 'single';

/** Scores of all latents. */
export interface MsScores {
  /** [d_sae], in [-1, 1]; NaN where `status` is not 'scored'. */
  scores: Float64Array;
  status: MsStatus[];
  /** [d_sae] u²/v: the effective number of items that carry the score; 0 where there is no score. */
  effectiveItems: Float64Array;
  /** The score of a latent that weighs all items alike: the floor of this set of items. NaN below two items. */
  uniformFloor: number;
  /** Items. */
  n: number;
}

/** Unit rows of the embeddings and their sum. */
export interface UnitRows {
  rows: Float32Array;
  sum: Float64Array;
}

/** @throws RangeError for an embedding that has no direction. */
export function unitRows(embeddings: Float32Array, n: number): UnitRows {
  const dim = embeddings.length / n;
  if (!Number.isInteger(dim)) throw new RangeError(`ms: ${embeddings.length} embedding values for ${n} items`);
  const rows = new Float32Array(embeddings.length);
  const sum = new Float64Array(dim);
  for (let i = 0; i < n; i++) {
    let squared = 0;
    for (let c = 0; c < dim; c++) squared += embeddings[i * dim + c]! ** 2;
    if (!(squared > 0 && squared < Infinity)) throw new RangeError(`ms: embedding ${i} is zero or not finite`);
    const scale = 1 / Math.sqrt(squared);
    for (let c = 0; c < dim; c++) {
      rows[i * dim + c] = embeddings[i * dim + c]! * scale;
      sum[c]! += embeddings[i * dim + c]! * scale;
    }
  }
  return { rows, sum };
}

/** What the score of a latent is made of beside ‖w‖²; where that is undefined, why. */
interface LatentSums {
  status: MsStatus;
  min: number;
  /** Σt and Σt² of the values less their minimum: min-max scaling up to the range, which cancels. */
  u: number;
  v: number;
}

/** Items that are not listed have activation 0. */
function sumsOf(values: Float32Array, n: number): LatentSums {
  const silent = n - values.length;
  let min = silent > 0 ? 0 : Infinity;
  let max = silent > 0 ? 0 : -Infinity;
  let [s1, s2] = [0, 0];
  for (let j = 0; j < values.length; j++) {
    const value = values[j]!;
    if (value < min) min = value;
    if (value > max) max = value;
    s1 += value;
    s2 += value * value;
  }
  let above = min < 0 ? silent : 0;
  for (let j = 0; j < values.length; j++) if (values[j]! > min) above++;
  const status = max > min ? (above < 2 ? 'single' : 'scored') : max === 0 || n === 0 ? 'dead' : 'constant';
  // The minimum is taken off the accumulated sums, to stay on the non-zeros.
  return { status, min, u: s1 - n * min, v: s2 - 2 * min * s1 + n * min * min };
}

/** What the native kernel does, for the other backends. */
const sumLengthsHere: StatisticsKernels['sumLengths'] = ({ starts, items, values, offsets }, rows, shift) => {
  const dim = shift.length;
  const w = new Float64Array(dim);
  return offsets.map((offset, f) => {
    w.fill(0);
    for (let j = starts[f]!; j < starts[f + 1]!; j++) {
      const value = values[j]!;
      for (let c = 0, at = items[j]! * dim; c < dim; c++, at++) w[c]! += value * rows[at]!;
    }
    let squared = 0;
    for (let c = 0; c < dim; c++) squared += (w[c]! - offset * shift[c]!) ** 2;
    return squared;
  });
};

function scoresOf({ n, d_sae, indptr, indices, values }: Csc, { rows, sum }: UnitRows): MsScores {
  const scores = new Float64Array(d_sae).fill(Number.NaN);
  const effectiveItems = new Float64Array(d_sae);
  const latents = Array.from(scores, (_, f) => sumsOf(values.subarray(indptr[f]!, indptr[f + 1]!), n));
  const lists = { starts: indptr, items: indices, values, offsets: Float64Array.from(latents, ({ min }) => min) };
  const squares = (statisticsKernels?.sumLengths ?? sumLengthsHere)(lists, rows, sum);
  latents.forEach(({ status, u, v }, f) => {
    if (status !== 'scored') return;
    scores[f] = (squares[f]! - v) / (u * u - v);
    effectiveItems[f] = (u * u) / v;
  });
  const squared = sum.reduce((total, value) => total + value * value, 0);
  const uniformFloor = (squared - n) / (n * (n - 1));
  return { scores, status: latents.map(({ status }) => status), effectiveItems, uniformFloor, n };
}

/**
 * MS of every latent of sparse codes, in time non-zeros × embedding size.
 *
 * @param codes one row for each item
 * @param embeddings [n, dim] row-major; not centred; normalised here
 */
export function msScores(codes: Csr, embeddings: Float32Array): MsScores {
  return scoresOf(csrToCsc(codes), unitRows(embeddings, codes.n));
}

/** MS of every column of dense activations [n, d] (raw neurons, PCA), signed values allowed. */
export function msScoresDense(activations: Float32Array, n: number, d: number, embeddings: Float32Array): MsScores {
  if (activations.length !== n * d) throw new RangeError(`ms: ${activations.length} activations are not [${n}, ${d}]`);
  // Every item is listed for every column, also where the activation is 0.
  const indptr = Uint32Array.from({ length: d + 1 }, (_, f) => f * n);
  const indices = new Uint32Array(n * d);
  const values = new Float32Array(n * d);
  for (let f = 0, at = 0; f < d; f++) {
    for (let i = 0; i < n; i++, at++) {
      indices[at] = i;
      values[at] = activations[i * d + f]!;
    }
  }
  return scoresOf({ n, d_sae: d, indptr, indices, values }, unitRows(embeddings, n));
}
