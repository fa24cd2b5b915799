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

/** Items that some concept labels, and what each is to which concept. */
interface Memberships {
  rows: Uint32Array;
  /** [rows + 1] */
  starts: Uint32Array;
  /** Twice the number of the concept, and 1 more where the row is a positive of it. */
  members: Uint32Array;
}

function memberships(n: number, concepts: readonly ConceptLabels[]): Memberships {
  const [rows, starts, members]: [number[], number[], number[]] = [[], [0], []];
  for (let i = 0; i < n; i++) {
    concepts.forEach((labels, c) => {
      if (labels[i] === 1) members.push(2 * c + 1);
      else if (labels[i] === 0) members.push(2 * c);
    });
    if (members.length === starts.at(-1)) continue;
    rows.push(i);
    starts.push(members.length);
  }
  return { rows: Uint32Array.from(rows), starts: Uint32Array.from(starts), members: Uint32Array.from(members) };
}

/** Numbers by concept while a latent's items are walked through in ascending order of value. */
interface Tally {
  /** Negatives and positives that fire, two numbers a concept. */
  firing: Float64Array;
  /** The group of equal values that the concept was last met in, and its negatives and positives there. */
  group: Int32Array;
  inGroup: Float64Array;
  negativesBelow: Float64Array;
  wins: Float64Array;
}

/** Closes the group that concept c is in: its positives beat the negatives below and tie with those beside them. */
function closeGroup({ inGroup, negativesBelow, wins }: Tally, c: number): void {
  wins[c]! += inGroup[2 * c + 1]! * (2 * negativesBelow[c]! + inGroup[2 * c]!);
  negativesBelow[c]! += inGroup[2 * c]!;
  inGroup[2 * c] = 0;
  inGroup[2 * c + 1] = 0;
}

/**
 * Fills `tally.wins` with twice the number of (positive, negative) pairs of each concept in the right order, ties counting 1,
 * as whole numbers.
 *
 * @param counts negatives and positives of each concept
 */
function countWins(latent: SortedLatent, { starts: first, members }: Memberships, counts: Float64Array, tally: Tally) {
  const { items, starts, negativeGroups } = latent;
  const { firing, group, inGroup, negativesBelow, wins } = tally;
  for (const each of [firing, inGroup, negativesBelow, wins]) each.fill(0);
  for (let i = 0; i < items.length; i++) {
    for (let m = first[items[i]!]!; m < first[items[i]! + 1]!; m++) firing[members[m]!]!++;
  }
  group.fill(-1);
  const groups = starts.length - 1;
  for (let g = 0; g <= groups; g++) {
    if (g === negativeGroups) {
      // The items on which the latent is silent, of every concept.
      for (let c = 0; c < wins.length; c++) {
        closeGroup(tally, c);
        inGroup[2 * c] = counts[2 * c]! - firing[2 * c]!;
        inGroup[2 * c + 1] = counts[2 * c + 1]! - firing[2 * c + 1]!;
        closeGroup(tally, c);
      }
    }
    if (g === groups) break;
    for (let j = starts[g]!; j < starts[g + 1]!; j++) {
      for (let m = first[items[j]!]!; m < first[items[j]! + 1]!; m++) {
        const c = members[m]! >> 1;
        if (group[c] !== g) closeGroup(tally, c);
        group[c] = g;
        inGroup[members[m]!]!++;
      }
    }
  }
  for (let c = 0; c < wins.length; c++) closeGroup(tally, c);
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
  const bad = concepts.find((labels) => labels.length !== codes.n);
  if (bad) throw new RangeError(`auroc: ${bad.length} labels for ${codes.n} items`);
  const known = memberships(codes.n, concepts);
  const counts = new Float64Array(2 * concepts.length);
  for (const member of known.members) counts[member]!++;
  const tally: Tally = {
    firing: new Float64Array(2 * concepts.length),
    group: new Int32Array(concepts.length),
    inGroup: new Float64Array(2 * concepts.length),
    negativesBelow: new Float64Array(concepts.length),
    wins: new Float64Array(concepts.length),
  };
  const csc = csrToCsc(csrRows(codes, known.rows));
  const results = concepts.map(() => new Float64Array(codes.d_sae));
  for (let f = 0; f < codes.d_sae; f++) {
    const [start, end] = [csc.indptr[f]!, csc.indptr[f + 1]!];
    const latent = sortLatent(csc.indices.subarray(start, end), csc.values.subarray(start, end));
    countWins(latent, known, counts, tally);
    // Not a number where a class is empty.
    for (let c = 0; c < results.length; c++) {
      results[c]![f] = tally.wins[c]! / (2 * counts[2 * c]! * counts[2 * c + 1]!);
    }
  }
  return results;
}
