/** @file The metrics of the task, with their definitions. */
import type { MetricDefinition } from '../../harness/contract.ts';
import {
  ABSORPTION_ROWS,
  featureFiringVersion,
  featureMatchVersion,
  MIXED,
  reconstructionVersion,
  SPLIT,
} from '../../harness/kit/index.ts';

function metric(
  version: number,
  description: string,
  direction: MetricDefinition['direction'],
  range: MetricDefinition['range'] = [0, 1],
  unit = '',
): MetricDefinition {
  return { description, direction, range, unit, version };
}

type Rest = [
  description: string,
  direction: MetricDefinition['direction'],
  range?: MetricDefinition['range'],
  unit?: string,
];
const match = (...rest: Rest) => metric(featureMatchVersion, ...rest);
const firing = (...rest: Rest) => metric(featureFiringVersion, ...rest);
const reconstruction = (...rest: Rest) => metric(reconstructionVersion, ...rest);

/** Of the directions of latents against the known ones. */
export const MATCH_METRICS: Record<string, MetricDefinition> = {
  mcc: {
    ...match(
      'Mean |cos| of latents’ directions with features’ over the one-to-one matching of the greatest sum (Hungarian), min(d_sae, features) pairs.',
      'max',
    ),
    main: true,
  },
  many_to_one: match('Mean over features of the greatest |cos| with any latent.', 'max'),
  recovered: match('Share of features with a latent whose |cos| is at least the option recoveredAt.', 'max'),
  uniqueness: match('Different features that are nearest to some latent ÷ latents.', 'max'),
  composition: match(
    `Share of latents that are mixtures: the second nearest feature has at least ${MIXED} of the nearest’s |cos|.`,
    'min',
  ),
};

/** Of latents that fire, against features that are active. */
export const FIRING_METRICS: Record<string, MetricDefinition> = {
  f1: firing(
    'Mean over latents of the F1 of firing (a code that is not 0) against activity of the nearest feature by |cos| (SynthSAEBench).',
    'max',
  ),
  precision: firing('As F1: the share of a latent’s firing on which its feature is active.', 'max'),
  recall: firing('As F1: the share of its feature’s activity on which a latent fires.', 'max'),
  feature_f1: firing(
    'Mean over features of the F1 of the latent of the one-to-one matching, 0 without one; features that no test row has are left out.',
    'max',
  ),
  feature_f1_threshold: firing(
    'As feature_f1, where each latent fires above the threshold of best F1 on the training rows (option probeRows): what a latent ' +
      'knows of its feature, whether or not its codes are 0 just where the feature is not. Between variants compare this ' +
      'one; feature_f1 also counts where an activation function cuts.',
    'max',
  ),
  split: firing(
    `Share of features that a second latent’s firing, added to the best one’s, detects better by over ${SPLIT} of F1.`,
    'min',
  ),
  absorption: firing(
    `Mean over pairs of parent and child of P(parent’s latent silent | child active, its latent fires) − P(the same | parent active, no child); nearest latents, at least ${ABSORPTION_ROWS} rows of either kind.`,
    'min',
    [-1, 1],
  ),
};

/** Of the reconstruction and the codes, without knowing the features. */
export const CODE_METRICS: Record<string, MetricDefinition> = {
  explained_variance: reconstruction('1 − E‖x − x̂‖² ÷ (E‖x‖² − ‖E x‖²); 0 for predicting the mean.', 'max', [null, 1]),
  l0: reconstruction('Mean number of non-zero latents of a row.', 'none', [0, null], 'latents'),
  shrinkage: reconstruction('Mean ‖x̂‖ ÷ ‖x‖; below 1: what is found is put back too small.', 'none', [0, null]),
  alive: reconstruction('Share of latents that fired on at least one row.', 'max'),
};

/** Of the data, the same for every method. */
export const WORLD_METRICS: Record<string, MetricDefinition> = {
  true_l0: firing('Mean number of active features of a row: what L0 would be.', 'none', [0, null], 'features'),
  f1_ceiling: firing(
    'Mean over features of the F1 of a logistic probe of each, trained on training rows, at its best threshold there: what supervision reaches, beside feature_f1_threshold, whose thresholds come from the same rows.',
    'none',
  ),
};

export const METRICS: Record<string, MetricDefinition> = {
  ...MATCH_METRICS,
  ...FIRING_METRICS,
  ...CODE_METRICS,
  ...WORLD_METRICS,
};
