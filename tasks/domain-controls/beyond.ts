/** @file What a detector knows that bag of words does not: the paired difference of two AUROCs on the same held-out items. */
import type { Item } from '../../harness/contract.ts';
import {
  aurocInfluence,
  bagOfWordsScore,
  byGroup,
  countWords,
  fitBagOfWords,
  type ItemInfluences,
  joined,
  meanInterval,
  studentCdf,
  studentQuantile,
} from '../../harness/kit/index.ts';
import type { ConceptSplit } from '../concept-detection/splits.ts';
import { aurocOf } from './scores.ts';

/** AxBench's bag of words: the baseline `bow`. */
const C = 100;

/** Standard errors and differences below this are rounding. */
const ROUNDING = 1e-12;

/** Held-out scores of one detector, as the split has its items. */
export interface HeldOut {
  positives: Float64Array;
  negatives: Float64Array;
}

/** Bag of words, fitted on a concept's training items as the baseline is, on its held-out items. */
export function bagOfWordsScores(items: readonly Item[], split: ConceptSplit): HeldOut {
  const textOf = (place: number) => items[place]!.text!;
  const model = fitBagOfWords(Array.from(split.train.items, textOf), split.train.labels, C);
  const scores = (places: Uint32Array) =>
    Float64Array.from(places, (place) => bagOfWordsScore(model, countWords(textOf(place))));
  return { positives: scores(split.positives), negatives: scores(split.negatives) };
}

export interface Difference {
  value: number;
  /** 95 %; null where a class is one group. */
  ci95: [number, number] | null;
  /** Two-sided p of no difference. */
  p: number;
  /** The true difference that this test would find with a power of 80 %, at 5 % and for one concept; null without a spread. */
  detectable: number | null;
  influences: ItemInfluences;
}

/**
 * AUROC of the first less that of the second. Its error is DeLong's (1988) for correlated AUROCs: the squared differences of the
 * items' influences on the two, summed by group first; Student's t with the degrees of freedom of the smaller class. Where no item
 * differs from another, the interval is that of equal values.
 */
export function aurocDifference(split: ConceptSplit, a: HeldOut, b: HeldOut, groups: ArrayLike<number>): Difference {
  const [of1, of2] = [aurocInfluence(a.positives, a.negatives), aurocInfluence(b.positives, b.negatives)];
  const less = (name: 'positives' | 'negatives') => of1[name].map((each, i) => each - of2[name][i]!);
  const places = joined(Uint32Array, [split.positives, split.negatives]);
  const influences = { items: places, values: joined(Float64Array, [less('positives'), less('negatives')]) };
  const value = aurocOf(a.positives, a.negatives) - aurocOf(b.positives, b.negatives);
  const [grouped] = byGroup([influences], groups);
  const se = Math.sqrt(Array.from(grouped!.values).reduce((sum, each) => sum + each * each, 0));
  const units = (of: Uint32Array) => new Set(Array.from(of, (place) => groups[place])).size;
  const df = Math.min(units(split.positives), units(split.negatives)) - 1;
  if (df < 1) return { value, ci95: null, p: 1, detectable: null, influences };
  if (se < ROUNDING) {
    // All items say the same, as of a latent that never fires beside words that always tell: a sign test.
    const { ci } = meanInterval(Array<number>(df + 1).fill(value), [-1, 1])!;
    return { value, ci95: ci, p: Math.abs(value) < ROUNDING ? 1 : 2 * 0.5 ** (df + 1), detectable: null, influences };
  }
  const [critical, power] = [studentQuantile(0.975, df), studentQuantile(0.8, df)];
  const half = critical * se;
  const ci95: [number, number] = [Math.max(-1, value - half), Math.min(1, value + half)];
  const p = 2 * studentCdf(-Math.abs(value) / se, df);
  return { value, ci95, p, detectable: (critical + power) * se, influences };
}
