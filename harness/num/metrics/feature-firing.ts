/** @file How latents fire where known features are active: precision and recall, splitting, absorption. Float64 counts. */
import { type Csc, type Csr, csrToCsc } from '../csr.ts';
import { bestCut, fBeta } from './threshold.ts';

/** Version of these definitions, recorded with results. */
export const version = 1;

/** Rows on which latents fire and on which features are active, the same rows for both. */
export interface Firing {
  rows: number;
  /** Latents [rows, latents] and features [rows, features], by column. */
  latents: Csc;
  features: Csc;
}

/** @throws RangeError where the two do not have the same rows. */
export function firingOf(codes: Csr, truth: Csr): Firing {
  if (codes.n !== truth.n) throw new RangeError(`firing: ${codes.n} rows of codes, ${truth.n} of features`);
  return { rows: codes.n, latents: csrToCsc(codes), features: csrToCsc(truth) };
}

/** Rows of a column, ascending. */
export const rowsOf = ({ indptr, indices }: Csc, column: number): Uint32Array =>
  indices.subarray(indptr[column]!, indptr[column + 1]!);

/** How many rows two ascending lists share. */
function sharedRows(a: Uint32Array, b: Uint32Array): number {
  let [shared, i, j] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [first, second] = [a[i]!, b[j]!];
    if (first === second) shared++;
    if (first <= second) i++;
    if (second <= first) j++;
  }
  return shared;
}

export interface Detection {
  precision: number;
  recall: number;
  f1: number;
}

/** Of a detector that fires on `fires` rows, `hits` of them among the `active` ones; each 0 where it is undefined. */
export function detection(hits: number, fires: number, active: number): Detection {
  const ratio = (part: number, whole: number) => (whole > 0 ? part / whole : 0);
  return { precision: ratio(hits, fires), recall: ratio(hits, active), f1: fBeta(hits, fires, active, 1) };
}

/** Of one latent as the detector of one feature. */
export function latentDetection({ latents, features }: Firing, latent: number, feature: number): Detection {
  const [fires, active] = [rowsOf(latents, latent), rowsOf(features, feature)];
  return detection(sharedRows(fires, active), fires.length, active.length);
}

/**
 * As {@link latentDetection}, where the latent fires above the threshold of best F1 on the rows of `train`, not above 0. Of
 * signed codes the absolute value counts, as what is not 0 fires.
 */
export function thresholdDetection(train: Firing, test: Firing, latent: number, feature: number): Detection {
  const shown = new Uint8Array(train.rows);
  const wanted = rowsOf(train.features, feature);
  for (const row of wanted) shown[row] = 1;
  const { threshold } = bestCut(rankedRows(train.latents, latent), shown, wanted.length, 1);
  const [rows, sizes] = [rowsOf(test.latents, latent), sizesOf(test.latents, latent)];
  const fires = rows.filter((_, i) => sizes[i]! > threshold);
  const active = rowsOf(test.features, feature);
  return detection(sharedRows(fires, active), fires.length, active.length);
}

const sizesOf = ({ indptr, values }: Csc, column: number): Float32Array =>
  values.subarray(indptr[column]!, indptr[column + 1]!).map(Math.abs);

/** Rows of a column with their absolute values, from the highest down. */
function rankedRows(latents: Csc, latent: number) {
  const [rows, sizes] = [rowsOf(latents, latent), sizesOf(latents, latent)];
  const order = Uint32Array.from(rows.keys()).sort((a, b) => sizes[b]! - sizes[a]!);
  return { items: order.map((i) => rows[i]!), values: Float32Array.from(order, (i) => sizes[i]!) };
}

/** F1 that a second latent must add for a feature to count as split (SAEBench's threshold for its probes of k latents). */
export const SPLIT = 0.03;
/** Latents that fire best on a feature are tried as a second one. */
const CANDIDATES = 8;

/**
 * Whether the best latent of each feature by F1 gains over {@link SPLIT} where another one's firing is added to its own: 1
 * or 0, NaN for a feature that no row has. Of the others the {@link CANDIDATES} of best F1 are tried.
 */
export function splitFeatures(codes: Csr, firing: Firing): Float64Array {
  const { latents, features } = firing;
  const { d_sae } = latents;
  const hits = new Uint32Array(d_sae);
  return Float64Array.from({ length: features.d_sae }, (_, feature) => {
    const active = rowsOf(features, feature);
    if (active.length === 0) return Number.NaN;
    const met: number[] = [];
    for (const row of active) {
      for (let at = codes.indptr[row]!; at < codes.indptr[row + 1]!; at++) {
        const latent = codes.indices[at]!;
        if (hits[latent]! === 0) met.push(latent);
        hits[latent]!++;
      }
    }
    const scored = met.map((latent) => {
      const found = hits[latent]!;
      return { latent, found, f1: detection(found, rowsOf(latents, latent).length, active.length).f1 };
    });
    for (const latent of met) hits[latent] = 0;
    scored.sort((a, b) => b.f1 - a.f1 || a.latent - b.latent);
    const [best, ...others] = scored;
    if (best === undefined) return 0;
    const own = rowsOf(latents, best.latent);
    const gains = others.slice(0, CANDIDATES).some(({ latent }) => {
      const added = without(rowsOf(latents, latent), own);
      const either = detection(best.found + sharedRows(added, active), own.length + added.length, active.length);
      return either.f1 > best.f1 + SPLIT;
    });
    return gains ? 1 : 0;
  });
}

/** Rows of the first of two ascending lists that the second lacks. */
function without(a: Uint32Array, b: Uint32Array): Uint32Array {
  let at = 0;
  return a.filter((row) => {
    while (b[at]! < row) at++;
    return b[at] !== row;
  });
}

/** A pair needs this many rows of either kind to be measured. */
export const ABSORPTION_ROWS = 10;

/**
 * Absorption of parents by their children (Chanin et al. 2024), where both are known: how much more often the parent's
 * latent is silent on rows where a child is active and the child's latent fires than on the parent's rows without any
 * child. 0: children make no difference; 1: the parent's latent is silent just where a child's speaks. NaN for a feature
 * without a parent, for a pair that shares its latent, and for under {@link ABSORPTION_ROWS} rows of either kind.
 *
 * @param latentOf Latent of each feature, −1 without one.
 * @param parents Parent of each feature, −1 without one.
 */
export function absorption(
  { latents, features, rows }: Firing,
  latentOf: ArrayLike<number>,
  parents: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(features.d_sae).fill(Number.NaN);
  const childrenOf = new Map<number, number[]>();
  for (let child = 0; child < features.d_sae; child++) {
    if (parents[child]! >= 0) childrenOf.set(parents[child]!, [...(childrenOf.get(parents[child]!) ?? []), child]);
  }
  for (const [parent, children] of childrenOf) {
    if (latentOf[parent]! < 0) continue;
    const speaks = new Uint8Array(rows);
    for (const row of rowsOf(latents, latentOf[parent]!)) speaks[row] = 1;
    const withChild = new Uint8Array(rows);
    for (const child of children) for (const row of rowsOf(features, child)) withChild[row] = 1;
    const silent = (of: Uint32Array) => of.filter((row) => speaks[row] === 0).length / of.length;
    const alone = rowsOf(features, parent).filter((row) => withChild[row] === 0);
    if (alone.length < ABSORPTION_ROWS) continue;
    for (const child of children) {
      if (latentOf[child]! < 0 || latentOf[child] === latentOf[parent]) continue;
      const fires = new Set(rowsOf(latents, latentOf[child]!));
      const both = rowsOf(features, child).filter((row) => fires.has(row));
      if (both.length >= ABSORPTION_ROWS) out[child] = silent(both) - silent(alone);
    }
  }
  return out;
}
