/** @file The numbers of one concept, from the scores of its items. */
import {
  auroc,
  aurocInfluence,
  averagePrecision,
  averagePrecisionInfluence,
  bestF1Threshold,
  countClasses,
  f1AtPrior,
  f1Influence,
  type Influence,
  type ItemInfluences,
  joined,
  type RocCurve,
  rocCurve,
  shareAbove,
  shareBelowInfluence,
} from '../../harness/kit/index.ts';
import type { Injections } from './injection.ts';
import type { Joined } from './joined.ts';
import type { ConceptSplit } from './splits.ts';

/** Share of positives in the setting in which they are rare: 1 %. */
const RARE = [1, 100] as const;

/** Metrics of one concept; null where it has no hard negatives, nothing was put into texts that do not fire as they are, or none were joined. */
export interface ConceptMetrics {
  auroc: number;
  auroc_hard: number;
  average_precision: number;
  f1: number;
  hard_negative_accuracy: number | null;
  auroc_1pct: number;
  f1_1pct: number;
  injected_fires: number | null;
  control_fires: number | null;
  fooled: number | null;
  joined_auroc: number | null;
  joined_alone: number | null;
}

export interface ConceptEvaluation {
  metrics: ConceptMetrics;
  /** Threshold of best F1 on the training items. */
  threshold: number;
  /** Without hard negatives. */
  roc: RocCurve;
  /** How much each held-out item moves each metric; undefined where the metric is null. */
  influences: Record<keyof ConceptMetrics, () => ItemInfluences | undefined>;
}

/**
 * Scores a detector of one concept. Thresholds come from the training items alone: one for their own share of positives,
 * one for 1 % of positives, at which the training negatives stand for the many.
 */
export function evaluateConcept(
  split: ConceptSplit,
  score: (items: Uint32Array) => Float64Array,
  injections?: Injections,
  texts?: Joined,
): ConceptEvaluation {
  // Side by side, so that the negatives stand next to the hard ones and next to the many.
  const parts = [split.train.items, split.positives, split.hardNegatives, split.negatives, split.extraNegatives];
  const scores = score(joined(Uint32Array, parts));
  const ends = parts.map((_, p) => parts.slice(0, p + 1).reduce((sum, { length }) => sum + length, 0));
  const between = (first: number, last: number) => scores.subarray(first === 0 ? 0 : ends[first - 1], ends[last]);
  const [train, positives, hard, negatives] = [between(0, 0), between(1, 1), between(2, 2), between(3, 3)];
  const [withHard, many] = [between(2, 3), between(3, 4)];
  const { positives: trainPositives } = countClasses(split.train.labels);
  const threshold = bestF1Threshold(train, split.train.labels, [trainPositives, train.length]);
  const rareThreshold = bestF1Threshold(train, split.train.labels, RARE);
  const rarePrior = RARE[0] / RARE[1];
  const fires = injections && firesOnceInjected(injections, score, threshold);
  const evalPrior = positives.length / (positives.length + negatives.length);
  return {
    metrics: {
      auroc: aurocOf(positives, negatives),
      auroc_hard: aurocOf(positives, withHard),
      average_precision: averagePrecision(...labelled(positives, negatives))!,
      f1: f1AtPrior(shareAbove(positives, threshold), shareAbove(negatives, threshold), evalPrior),
      hard_negative_accuracy: hard.length === 0 ? null : 1 - shareAbove(hard, threshold),
      auroc_1pct: aurocOf(positives, many),
      f1_1pct: f1AtPrior(shareAbove(positives, rareThreshold), shareAbove(many, rareThreshold), rarePrior),
      injected_fires: fires?.injected ?? null,
      control_fires: fires?.control ?? null,
      fooled: fires ? Number(fires.injected > 0.5) : null,
      joined_auroc: texts ? aurocOf(score(texts.both), score(texts.other)) : null,
      joined_alone: texts ? aurocOf(score(texts.alone), score(texts.neither)) : null,
    },
    threshold,
    roc: rocCurve(...labelled(positives, negatives))!,
    influences: {
      auroc: () => ofItems(split, 'negatives', aurocInfluence(positives, negatives)),
      auroc_hard: () => ofItems(split, 'withHard', aurocInfluence(positives, withHard)),
      average_precision: () => ofItems(split, 'negatives', averagePrecisionInfluence(positives, negatives)),
      f1: () => ofItems(split, 'negatives', f1Influence(positives, negatives, threshold, evalPrior)),
      hard_negative_accuracy: () =>
        hard.length === 0 ? undefined : { items: split.hardNegatives, values: shareBelowInfluence(hard, threshold) },
      auroc_1pct: () => ofItems(split, 'many', aurocInfluence(positives, many)),
      f1_1pct: () => ofItems(split, 'many', f1Influence(positives, many, rareThreshold, rarePrior)),
      injected_fires: () => fires && { items: fires.base, values: influenceOfShare(fires.ofInjected, fires.injected) },
      control_fires: () => fires && { items: fires.base, values: influenceOfShare(fires.ofControl, fires.control) },
      fooled: () => fires && NOTHING,
      joined_auroc: () => texts && NOTHING,
      joined_alone: () => texts && NOTHING,
    },
  };
}

/** Of the texts that do not fire as they are: which do once words are in them. Undefined where all fire already. */
function firesOnceInjected(
  { base, injected, control }: Injections,
  score: (items: Uint32Array) => Float64Array,
  threshold: number,
) {
  const scores = score(joined(Uint32Array, [base, injected, control]));
  const n = base.length;
  const silent = [...base.keys()].filter((i) => scores[i]! < threshold);
  if (silent.length === 0) return undefined;
  const firing = (from: number) => silent.map((i) => Number(scores[from + i]! >= threshold));
  const [ofInjected, ofControl] = [firing(n), firing(2 * n)];
  const share = (flags: number[]) => flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
  const places = Uint32Array.from(silent, (i) => base[i]!);
  return { base: places, ofInjected, ofControl, injected: share(ofInjected), control: share(ofControl) };
}

/** Of what is told over concepts alone. */
const NOTHING: ItemInfluences = { items: new Uint32Array(0), values: new Float64Array(0) };

const influenceOfShare = (flags: readonly number[], share: number): Float64Array =>
  Float64Array.from(flags, (flag) => (flag - share) / flags.length);

/** Negatives as the metrics take them together, in the order of their scores. */
const NEGATIVES = {
  negatives: ['negatives'],
  withHard: ['hardNegatives', 'negatives'],
  many: ['negatives', 'extraNegatives'],
} as const;

function ofItems(split: ConceptSplit, kind: keyof typeof NEGATIVES, influence: Influence): ItemInfluences {
  return {
    items: joined(Uint32Array, [split.positives, ...NEGATIVES[kind].map((name) => split[name])]),
    values: joined(Float64Array, [influence.positives, influence.negatives]),
  };
}

function aurocOf(positives: Float64Array, negatives: Float64Array): number {
  return auroc(...labelled(positives, negatives))!;
}

function labelled(positives: Float64Array, negatives: Float64Array): [Float64Array, Uint8Array] {
  const scores = joined(Float64Array, [positives, negatives]);
  return [scores, new Uint8Array(scores.length).fill(1, 0, positives.length)];
}
