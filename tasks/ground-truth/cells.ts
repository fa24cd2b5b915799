/** @file Cells of the task: values by feature and by latent, with intervals over features. */
import type { MetricValue, RowSamples } from '../../harness/contract.ts';
import {
  absorption,
  byCluster,
  type Csr,
  emptyCell,
  type FeatureMatch,
  type Firing,
  latentDetection,
  meanInterval,
  measuredCell,
  mixtures,
  plainCell,
  type Reconstruction,
  ratioInterval,
  reconstructionCells,
  rowsOf,
  splitFeatures,
  thresholdDetection,
  uniqueness,
} from '../../harness/kit/index.ts';
import { CODE_METRICS, FIRING_METRICS, MATCH_METRICS } from './metrics.ts';

type Cells = Record<string, MetricValue>;

const rangeOf = (name: string) => (MATCH_METRICS[name] ?? FIRING_METRICS[name])!.range;

/** The mean over features (or pairs of them) that have a value. */
function overFeatures(name: string, values: Float64Array, reason: string): MetricValue {
  const known = values.filter((value) => !Number.isNaN(value));
  return measuredCell(meanInterval(known, rangeOf(name)), reason);
}

/** The mean over latents. Those with the same nearest feature hang together: they are one unit. */
function overLatents(name: string, values: Float64Array, { nearestFeature }: FeatureMatch): MetricValue {
  const { sums, counts } = byCluster(values, nearestFeature);
  const cell = measuredCell(ratioInterval(sums, counts, rangeOf(name)), 'no latents');
  return { ...cell, n: values.length, units: sums.length };
}

export function matchCells(match: FeatureMatch, recoveredAt: number): Cells {
  const paired = match.matchedCosine.map((value, feature) => (match.matched[feature]! < 0 ? Number.NaN : value));
  const recovered = match.nearestLatentCosine.map((value) => (value >= recoveredAt ? 1 : 0));
  return {
    mcc: overFeatures('mcc', paired, 'no pairs'),
    many_to_one: overFeatures('many_to_one', match.nearestLatentCosine, 'no features'),
    recovered: overFeatures('recovered', recovered, 'no features'),
    uniqueness: plainCell(uniqueness(match), match.nearestFeature.length),
    composition: overLatents('composition', mixtures(match), match),
  };
}

/** |cos| of each matched feature: methods meet the same features. */
export function mccSamples(match: FeatureMatch): RowSamples {
  const features = [...match.matched.keys()].filter((feature) => match.matched[feature]! >= 0);
  return {
    unit: 'feature',
    ids: features.map((feature) => `feature ${feature}`),
    values: features.map((feature) => match.matchedCosine[feature]!),
  };
}

/** F1 of the matched latent of each feature, 0 without one; NaN for a feature that no row has. */
export function matchedF1({ matched }: FeatureMatch, firing: Firing): Float64Array {
  return Float64Array.from(matched, (latent, feature) => {
    if (rowsOf(firing.features, feature).length === 0) return Number.NaN;
    return latent < 0 ? 0 : latentDetection(firing, latent, feature).f1;
  });
}

/** The same at the threshold of best F1 on the rows of `train`. */
function matchedF1AtThreshold({ matched }: FeatureMatch, train: Firing, firing: Firing): Float64Array {
  return Float64Array.from(matched, (latent, feature) => {
    if (rowsOf(firing.features, feature).length === 0) return Number.NaN;
    return latent < 0 ? 0 : thresholdDetection(train, firing, latent, feature).f1;
  });
}

export function firingCells(
  match: FeatureMatch,
  codes: Csr,
  firing: Firing,
  train: Firing,
  parents?: Int32Array,
): Cells {
  const detections = Array.from(match.nearestFeature, (feature, latent) => latentDetection(firing, latent, feature));
  const cell = (name: 'f1' | 'precision' | 'recall') =>
    overLatents(
      name,
      Float64Array.from(detections, (each) => each[name]),
      match,
    );
  return {
    f1: cell('f1'),
    precision: cell('precision'),
    recall: cell('recall'),
    feature_f1: overFeatures('feature_f1', matchedF1(match, firing), 'no row has a feature'),
    feature_f1_threshold: overFeatures(
      'feature_f1_threshold',
      matchedF1AtThreshold(match, train, firing),
      'no row has a feature',
    ),
    split: overFeatures('split', splitFeatures(codes, firing), 'no row has a feature'),
    absorption: parents
      ? overFeatures(
          'absorption',
          absorption(firing, match.nearestLatent, parents),
          'no pair of parent and child with latents of their own has enough rows',
        )
      : emptyCell('the world has no hierarchy'),
  };
}

/** Explained variance, L0 and shrinkage, with intervals over rows; the share of latents that are alive. */
export function codeCells(measured: Reconstruction, decodes: boolean): Cells {
  const { explained_variance, l2_ratio, l0, fraction_alive } = reconstructionCells(measured, {
    explained_variance: CODE_METRICS['explained_variance']!,
    l2_ratio: CODE_METRICS['shrinkage']!,
    l0: CODE_METRICS['l0']!,
    fraction_alive: CODE_METRICS['alive']!,
  });
  return { l0, alive: fraction_alive, ...(decodes ? { explained_variance, shrinkage: l2_ratio } : {}) };
}
