/** @file The numbers of one concept, from the scores of its items and its changed texts. */

import type { Concept } from '../../harness/contract.ts';
import { bestF1Threshold, countClasses, joined, shareAbove } from '../../harness/kit/index.ts';
import type { ConceptSplit } from '../concept-detection/splits.ts';
import type { HeldOut } from './beyond.ts';
import type { Relatives } from './hierarchy.ts';
import type { MetricName } from './metrics.ts';
import { aurocOf, type Score } from './scores.ts';
import type { Masked, Stated } from './texts.ts';

export type ConceptMetrics = Record<MetricName, number | null>;

/** What stands around a concept, the same for every method. */
export interface ConceptAround {
  concept: Concept;
  split: ConceptSplit;
  masked?: Masked | undefined;
  stated?: Stated | undefined;
  relatives: Relatives;
}

/** Held-out scores, and what of a concept's metrics one detector's scores tell by themselves. */
export function evaluateConcept(
  { concept, split, masked, stated, relatives }: ConceptAround,
  score: Score,
): { heldOut: HeldOut; threshold: number; metrics: Partial<ConceptMetrics> } {
  const { items, labels } = split.train;
  const train = score(items);
  const threshold = bestF1Threshold(train, labels, [countClasses(labels).positives, labels.length]);
  const heldOut = { positives: score(split.positives), negatives: score(split.negatives) };
  const { siblings, children } = relatives;
  const recalls = children.map(({ positives }) => shareAbove(score(positives), threshold));
  return {
    heldOut,
    threshold,
    metrics: {
      auroc: aurocOf(heldOut.positives, heldOut.negatives),
      ...(masked ? maskedMetrics(masked, score) : {}),
      ...(stated ? statedMetrics(stated, score, threshold) : {}),
      ...atPrevalence(concept, split, score, train),
      sibling_auroc: siblings.length === 0 ? null : aurocOf(heldOut.positives, score(siblings)),
      least_child_recall: recalls.length === 0 ? null : Math.min(...recalls),
    },
  };
}

function maskedMetrics(masked: Masked, score: Score): Partial<ConceptMetrics> {
  const before = aurocOf(score(masked.positives), score(masked.negatives));
  const after = aurocOf(score(masked.maskedPositives), score(masked.maskedNegatives));
  return { masked_auroc: after, masked_loss: before - after };
}

function statedMetrics({ base, ...texts }: Stated, score: Score, threshold: number): Partial<ConceptMetrics> {
  const before = score(base);
  const silent = [...base.keys()].filter((i) => before[i]! < threshold);
  const fires = (places: Uint32Array) => {
    const scores = score(places);
    return silent.length === 0 ? null : silent.filter((i) => scores[i]! >= threshold).length / silent.length;
  };
  return {
    affirmed_fires: fires(texts.affirmed),
    negated_fires: fires(texts.negated),
    family_fires: fires(texts.family),
    other_fires: fires(texts.other),
    denied_auroc: aurocOf(score(texts.affirmed), score(texts.negated)),
  };
}

function atPrevalence(
  { prevalence }: Concept,
  split: ConceptSplit,
  score: Score,
  train: Float64Array,
): Partial<ConceptMetrics> {
  if (!prevalence || prevalence.positives === 0 || prevalence.positives === prevalence.labelled) return {};
  const threshold = bestF1Threshold(train, split.train.labels, [prevalence.positives, prevalence.labelled]);
  const recall = shareAbove(score(split.positives), threshold);
  const alarms = shareAbove(score(joined(Uint32Array, [split.negatives, split.extraNegatives])), threshold);
  const [hits, false_] = [prevalence.positives * recall, (prevalence.labelled - prevalence.positives) * alarms];
  return {
    precision_at_prevalence: hits + false_ === 0 ? 0 : hits / (hits + false_),
    recall_at_prevalence: recall,
  };
}
