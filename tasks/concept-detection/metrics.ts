/** @file The metrics of the task. */
import type { MetricDefinition } from '../../harness/contract.ts';
import { precisionRecallVersion, rocVersion, thresholdVersion } from '../../harness/kit/index.ts';
import type { ConceptMetrics } from './evaluate.ts';

export const METRICS: Record<keyof ConceptMetrics, MetricDefinition> = {
  auroc: {
    description:
      'Area under the ROC curve of held-out positives against negatives, hard negatives left out; mean over concepts.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    main: true,
    version: rocVersion,
  },
  auroc_hard: {
    description: 'The same with hard negatives among the negatives; a concept that has none counts as it is.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: rocVersion,
  },
  average_precision: {
    description: 'Average precision on held-out positives and negatives; mean over concepts.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: precisionRecallVersion,
  },
  f1: {
    description: 'F1 on held-out positives and negatives at the threshold of best F1 on the training items.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: thresholdVersion,
  },
  hard_negative_accuracy: {
    description:
      'Share of hard negatives below the threshold of best F1 on the training items; over concepts with any.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: thresholdVersion,
  },
  auroc_1pct: {
    description: 'AUROC with the held-out negatives of other concepts among the negatives, up to 99 for each positive.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: 2,
  },
  f1_1pct: {
    description:
      'F1 where 1 % of examples are positive: rates on held-out positives and on own and extra negatives, threshold of ' +
      'best F1 at 1 % on the training items.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: 2,
  },
  injected_fires: {
    description:
      'Share of held-out negatives below the threshold of best F1 on the training items that reach it once words that go with ' +
      'the concept in training texts are put between theirs (token injection, arXiv:2601.05679); mean over concepts.',
    direction: 'none',
    range: [0, 1],
    unit: '',
    version: 1,
  },
  control_fires: {
    description: 'The same with as many words that do not go with the concept: what any change of the text does.',
    direction: 'min',
    range: [0, 1],
    unit: '',
    version: 1,
  },
  joined_auroc: {
    description:
      'AUROC where another concept shows too: held-out positives against negatives, each cut and with the same positives of the ' +
      'next concept behind it; no training text has both. Mean over concepts.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: rocVersion,
  },
  joined_alone: {
    description:
      'The same texts with negatives behind them in place of the other concept: what cutting and joining does.',
    direction: 'none',
    range: [0, 1],
    unit: '',
    version: rocVersion,
  },
  fooled: {
    description: 'Share of concepts whose detector fires on more than half of these texts once the words are in them.',
    direction: 'none',
    range: [0, 1],
    unit: '',
    version: 1,
  },
};
