/** @file AUROC of every latent for many concepts, from the non-zeros only. */
import { type Csr, csrRows, csrToCsc } from '../csr.ts';

/** Version of this definition, recorded with results. */
export const version = 1;

/** Labels of the items for one concept: 1 positive, 0 negative, -1 not part of this concept's set. */
export type ConceptLabels = Int8Array;

/** One latent's firing items in ascending order of value, cut into groups of equal value. */
interface SortedLatent {
  items: Uint32Array;
  /** Start of each group in `items`, and the end of the last. */
  starts: number[];
  /** Number of groups with a negative value: the silent items come after them. */
  negativeGroups: number;
}

/** Places of a sort key: latents that fire more often than this are sorted by a function that compares. */
const PLACES = 2 ** 21;

/** Places of `values` in ascending order. */
function orderOf(values: Float32Array): Uint32Array {
  if (values.length > PLACES) return Uint32Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  // The bits of a float32, mirrored below zero, are in the order of the numbers. With the place behind them they are
  // whole numbers below 2^53, and numbers sort natively, many times faster than by a function.
  const bits = new Int32Array(values.slice().buffer);
  const keys = new Float64Array(bits.length);
  for (let i = 0; i < keys.length; i++) {
    const word = bits[i]!;
    keys[i] = (word < 0 ? -(word & 0x7fffffff) : word) * PLACES + i;
  }
  keys.sort();
  // Loops, since `from` with a function costs more than the sort.
  const order = new Uint32Array(keys.length);
  for (let i = 0; i < order.length; i++) order[i] = keys[i]! - Math.floor(keys[i]! / PLACES) * PLACES;
  return order;
}

function sortLatent(items: Uint32Array, values: Float32Array): SortedLatent {
  const order = orderOf(values);
  const sorted = new Uint32Array(order.length);
  const starts: number[] = [];
  let negativeGroups = 0;
  for (let i = 0; i < order.length; i++) {
    const value = values[order[i]!]!;
    sorted[i] = items[order[i]!]!;
    if (i > 0 && value === values[order[i - 1]!]) continue;
    starts.push(i);
    if (value < 0) negativeGroups++;
  }
  return { items: sorted, starts: [...starts, order.length], negativeGroups };
}

/** Twice the number of (positive, negative) pairs in the right order, ties counting 1, as a whole number. */
function doubledWins(latent: SortedLatent, labels: ConceptLabels, positives: number, negatives: number): number {
  const { items, starts, negativeGroups } = latent;
  const groups = starts.length - 1;
  let [firingPositives, firingNegatives] = [0, 0];
  for (const item of items) {
    if (labels[item] === 1) firingPositives++;
    else if (labels[item] === 0) firingNegatives++;
  }
  let [wins, negativesBelow] = [0, 0];
  const addGroup = (groupPositives: number, groupNegatives: number) => {
    wins += groupPositives * (2 * negativesBelow + groupNegatives);
    negativesBelow += groupNegatives;
  };
  for (let group = 0; group <= groups; group++) {
    if (group === negativeGroups) addGroup(positives - firingPositives, negatives - firingNegatives);
    if (group === groups) break;
    let [groupPositives, groupNegatives] = [0, 0];
    for (let j = starts[group]!; j < starts[group + 1]!; j++) {
      const label = labels[items[j]!];
      if (label === 1) groupPositives++;
      else if (label === 0) groupNegatives++;
    }
    addGroup(groupPositives, groupNegatives);
  }
  return wins;
}

/** Items that some concept labels: sorting the others would be for nothing. */
function labelledRows(n: number, concepts: readonly ConceptLabels[]): Uint32Array {
  const used = new Uint8Array(n);
  for (const labels of concepts) for (let i = 0; i < n; i++) if (labels[i] !== -1) used[i] = 1;
  return Uint32Array.from(used.keys()).filter((row) => used[row]);
}

/**
 * AUROC of each latent as a detector of each concept: equal to `auroc` on the dense column, in time proportional to the
 * non-zeros. Items where a latent is silent score 0; negative values are allowed.
 *
 * @param codes one row for each item (pooled over its tokens)
 * @param concepts labels [n] of each concept
 * @returns for each concept [d_sae]; all NaN where the concept has no positive or no negative
 */
export function latentAuroc(codes: Csr, concepts: readonly ConceptLabels[]): Float64Array[] {
  const counts = concepts.map((labels) => {
    if (labels.length !== codes.n) throw new RangeError(`auroc: ${labels.length} labels for ${codes.n} items`);
    let [positives, negatives] = [0, 0];
    for (const label of labels) {
      if (label === 1) positives++;
      else if (label === 0) negatives++;
    }
    return { positives, negatives };
  });
  const rows = labelledRows(codes.n, concepts);
  const labelled = concepts.map((labels) => Int8Array.from(rows, (row) => labels[row]!));
  const csc = csrToCsc(csrRows(codes, rows));
  const results = concepts.map(() => new Float64Array(codes.d_sae).fill(Number.NaN));
  for (let f = 0; f < codes.d_sae; f++) {
    const [start, end] = [csc.indptr[f]!, csc.indptr[f + 1]!];
    const latent = sortLatent(csc.indices.subarray(start, end), csc.values.subarray(start, end));
    labelled.forEach((labels, c) => {
      const { positives, negatives } = counts[c]!;
      if (positives === 0 || negatives === 0) return;
      results[c]![f] = doubledWins(latent, labels, positives, negatives) / (2 * positives * negatives);
    });
  }
  return results;
}
