/**
 * @file The monosemanticity score MS (Pach et al. 2504.02821), exactly and in linear time.
 *
 * MS = Σ_{n<m} t_n t_m cos(e_n, e_m) / Σ_{n<m} t_n t_m, with t the activations of one latent min-max scaled over the
 * items and e the items' embeddings by an independent encoder. With unit e and w = Σ t e, u = Σ t, v = Σ t²:
 * MS = (‖w‖² - v) / (u² - v).
 */
import { type Csr, csrToCsc } from '../csr.ts';

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
interface UnitRows {
  rows: Float32Array;
  sum: Float64Array;
  dim: number;
  n: number;
}

function unitRows(embeddings: Float32Array, n: number): UnitRows {
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
  return { rows, sum, dim, n };
}

function scoreLatent(
  items: Uint32Array,
  values: ArrayLike<number>,
  unit: UnitRows,
  w: Float64Array,
): { score: number; status: MsStatus; effective: number } {
  const { rows, sum, dim, n } = unit;
  const unscored = (status: MsStatus) => ({ score: Number.NaN, status, effective: 0 });
  // Items that are not listed have activation 0.
  let min = items.length < n ? 0 : Infinity;
  let max = items.length < n ? 0 : -Infinity;
  for (let j = 0; j < items.length; j++) {
    if (values[j]! < min) min = values[j]!;
    if (values[j]! > max) max = values[j]!;
  }
  if (!(max > min)) return unscored(max === 0 || n === 0 ? 'dead' : 'constant');
  // The range cancels, so only the minimum is taken off: from the accumulated sums, to stay on the non-zeros.
  let [s1, s2, above] = [0, 0, min < 0 ? n - items.length : 0];
  w.fill(0);
  for (let j = 0; j < items.length; j++) {
    const value = values[j]!;
    s1 += value;
    s2 += value * value;
    if (value > min) above++;
    const row = items[j]! * dim;
    for (let c = 0; c < dim; c++) w[c]! += value * rows[row + c]!;
  }
  if (above < 2) return unscored('single');
  const u = s1 - n * min;
  const v = s2 - 2 * min * s1 + n * min * min;
  let squared = 0;
  for (let c = 0; c < dim; c++) squared += (w[c]! - min * sum[c]!) ** 2;
  return { score: (squared - v) / (u * u - v), status: 'scored', effective: (u * u) / v };
}

function collect(unit: UnitRows, d_sae: number, column: (f: number) => [Uint32Array, ArrayLike<number>]): MsScores {
  const { sum, dim, n } = unit;
  const scores = new Float64Array(d_sae);
  const effectiveItems = new Float64Array(d_sae);
  const status: MsStatus[] = [];
  const w = new Float64Array(dim);
  for (let f = 0; f < d_sae; f++) {
    const latent = scoreLatent(...column(f), unit, w);
    scores[f] = latent.score;
    effectiveItems[f] = latent.effective;
    status.push(latent.status);
  }
  const squared = sum.reduce((total, value) => total + value * value, 0);
  return { scores, status, effectiveItems, uniformFloor: (squared - n) / (n * (n - 1)), n };
}

/**
 * MS of every latent of sparse codes, in time non-zeros × embedding size.
 *
 * @param codes one row for each item
 * @param embeddings [n, dim] row-major; not centred; normalised here
 */
export function msScores(codes: Csr, embeddings: Float32Array): MsScores {
  const csc = csrToCsc(codes);
  return collect(unitRows(embeddings, codes.n), codes.d_sae, (f) => {
    const [start, end] = [csc.indptr[f]!, csc.indptr[f + 1]!];
    return [csc.indices.subarray(start, end), csc.values.subarray(start, end)];
  });
}

/** MS of every column of dense activations [n, d] (raw neurons, PCA), signed values allowed. */
export function msScoresDense(activations: Float32Array, n: number, d: number, embeddings: Float32Array): MsScores {
  if (activations.length !== n * d) throw new RangeError(`ms: ${activations.length} activations are not [${n}, ${d}]`);
  const items = Uint32Array.from({ length: n }, (_, i) => i);
  const column = new Float32Array(n);
  return collect(unitRows(embeddings, n), d, (f) => {
    for (let i = 0; i < n; i++) column[i] = activations[i * d + f]!;
    return [items, column];
  });
}
