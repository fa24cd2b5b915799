/** @file What the task domain-controls measures, and what its tables show. */
import type { MetricDefinition, TaskDisplay } from '../../harness/contract.ts';
import { rocVersion, thresholdVersion } from '../../harness/kit/index.ts';

/** A share or an AUROC, mean over concepts. */
const share = (direction: MetricDefinition['direction'], version: number, description: string): MetricDefinition => ({
  description: `${description} Mean over concepts.`,
  direction,
  range: [0, 1],
  unit: '',
  version,
});

export const metrics = {
  beyond_bow: {
    description:
      'AUROC on held-out positives and negatives less that of a bag of words trained on the same items (paired); mean over concepts.',
    direction: 'max',
    range: [-1, 1],
    unit: '',
    main: true,
    version: rocVersion,
  },
  auroc: share('max', rocVersion, 'AUROC of held-out positives against negatives, as in concept-detection.'),
  concepts_beyond: {
    description:
      'Share of concepts whose AUROC is above that of bag of words beyond chance: DeLong’s paired test over the held-out items (by group), ' +
      'corrected over the concepts of the row (Holm, 5 %).',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: 1,
  },
  concepts_below: {
    description: 'Share of concepts whose AUROC is below it, by the same test.',
    direction: 'min',
    range: [0, 1],
    unit: '',
    version: 1,
  },
  detectable: {
    description:
      'Difference from bag of words that the test of one concept would find with a power of 80 % (uncorrected); median over concepts. Where it is ' +
      'large, “not shown” says little.',
    direction: 'min',
    range: [0, null],
    unit: '',
    version: 1,
  },
  beyond_general: {
    description:
      'AUROC less that of the same method trained on general text, as many tokens, each by its latent of best training AUROC (paired over held-out items); mean over concepts.',
    direction: 'max',
    range: [-1, 1],
    unit: '',
    version: rocVersion,
  },
  masked_auroc: share(
    'max',
    rocVersion,
    'AUROC once the concept’s own words (its names, and the stems of their words) are taken out of held-out positives and negatives; of concepts whose ' +
      'positives have any.',
  ),
  masked_loss: {
    description: 'AUROC of the same items as they are less that without the words; mean over concepts.',
    direction: 'min',
    range: [-1, 1],
    unit: '',
    version: rocVersion,
  },
  affirmed_fires: share(
    'none',
    thresholdVersion,
    'Share of held-out negatives below the threshold of best F1 that reach it with a sentence that affirms the concept (“There was evidence of …”).',
  ),
  negated_fires: share('min', thresholdVersion, 'The same with the sentence denied (“There was no evidence of …”).'),
  family_fires: share(
    'min',
    thresholdVersion,
    'The same with the concept told of the family (“There was a family history of …”).',
  ),
  other_fires: share('min', thresholdVersion, 'The same with another concept affirmed: what any such sentence does.'),
  denied_auroc: share(
    'max',
    rocVersion,
    'AUROC of the texts with the affirming sentence against those with the denying one: .5 cannot tell them apart.',
  ),
  precision_at_prevalence: share(
    'max',
    thresholdVersion,
    'Precision where positives are as frequent as in the domain: rates on held-out positives and on own and other concepts’ negatives, threshold of best F1 ' +
      'at that prevalence on the training items; 0 where nothing fires.',
  ),
  recall_at_prevalence: share('max', thresholdVersion, 'Share of held-out positives at that threshold.'),
  sibling_auroc: share(
    'max',
    rocVersion,
    'AUROC of held-out positives against held-out positives of concepts with the same parent that do not show it.',
  ),
  least_child_recall: share(
    'max',
    thresholdVersion,
    'Share of a child’s held-out positives on which the parent’s detector fires (best F1), the child with the least.',
  ),
  within_group_auroc: share(
    'max',
    rocVersion,
    'AUROC within each value of a covariate (numbers: halves), mean over values with four of each class.',
  ),
  unseen_group_auroc: share(
    'max',
    rocVersion,
    'The same by a latent that was chosen on the training items of all other values.',
  ),
  token_auroc: share(
    'max',
    rocVersion,
    'AUROC of the tokens that show the concept against the others of the same held-out texts, of concepts whose places are known.',
  ),
  seed_cosine: {
    description:
      'Cosine of the decoder directions of the latents that this seed and the next one choose; mean over concepts.',
    direction: 'max',
    range: [-1, 1],
    unit: '',
    version: 1,
  },
  seed_agreement: {
    description: 'Spearman’s rank correlation of those two latents over the held-out items; mean over concepts.',
    direction: 'max',
    range: [-1, 1],
    unit: '',
    version: 1,
  },
} satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof metrics;

/** Why a metric has no value for any concept. */
export const REASONS: Record<MetricName, string> = {
  beyond_bow: 'items have no texts to count words of',
  auroc: 'no concept has a detector here',
  concepts_beyond: 'items have no texts to count words of',
  concepts_below: 'items have no texts to count words of',
  detectable: 'items have no texts to count words of, or differ in nothing',
  beyond_general:
    'the suite has no such method trained on general text, or that text could not be had, or it is that method itself',
  masked_auroc: 'no words were taken out: that takes a language model, and positives that name the concept',
  masked_loss: 'no words were taken out: that takes a language model, and positives that name the concept',
  affirmed_fires: 'no sentence was put in: that takes a language model and two concepts that a text can deny',
  negated_fires: 'no sentence was put in: that takes a language model and two concepts that a text can deny',
  family_fires: 'no sentence was put in: that takes a language model and two concepts that a text can deny',
  other_fires: 'no sentence was put in: that takes a language model and two concepts that a text can deny',
  denied_auroc: 'no sentence was put in: that takes a language model and two concepts that a text can deny',
  precision_at_prevalence: 'the prevalence of no concept is known',
  recall_at_prevalence: 'the prevalence of no concept is known',
  sibling_auroc: 'no concept has siblings with held-out items of their own',
  least_child_recall: 'no concept has children',
  within_group_auroc: 'no covariate has values with four examples of both classes on both sides',
  unseen_group_auroc:
    'no such covariate, or a detector that was fitted on all groups and has no latents to choose again',
  token_auroc: 'the places of no concept are known, or whole items are scored',
  seed_cosine: 'one seed, or no directions',
  seed_agreement: 'one seed, or no latents',
};

export const shows: TaskDisplay = {
  columns: [
    ...['auroc', 'concepts_beyond', 'concepts_below', 'detectable', 'beyond_general', 'masked_auroc', 'masked_loss'],
    ...['affirmed_fires', 'negated_fires', 'family_fires', 'other_fires', 'denied_auroc'],
    ...['precision_at_prevalence', 'recall_at_prevalence', 'sibling_auroc', 'least_child_recall'],
    ...['within_group_auroc', 'unseen_group_auroc', 'token_auroc', 'seed_cosine', 'seed_agreement'],
  ],
  ranked: { selection: ['detector', 'auroc'] },
  chance: 0,
};
