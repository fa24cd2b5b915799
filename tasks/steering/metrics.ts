/** @file What steering reports: definitions of its metrics, of language models and of CLIPs. */
import type { MetricDefinition } from '../../harness/contract.ts';
import { type Estimate, meanInterval } from '../../harness/kit/index.ts';

const score = (description: string, main = false): MetricDefinition => ({
  description,
  direction: 'max',
  range: [0, 2],
  unit: '',
  version: 1,
  ...(main ? { main } : {}),
});

/** Of both kinds of subject. All are means over concepts, at each concept's chosen factor, on the reporting half. */
export const COMMON_METRICS: Record<string, MetricDefinition> = {
  overall: score(
    'Steering score, 0 to 2. LM: harmonic mean of concept, instruct and fluency of a generation (0 if any is 0), mean ' +
      'over prompts. CLIP: twice the harmonic mean of flip_rate and preservation.',
    true,
  ),
  factor: {
    description: 'Factor chosen on the selection half, in units of the largest score that the method gave in training.',
    direction: 'none',
    range: [0, null],
    unit: '',
    version: 1,
  },
};

export const LM_METRICS: Record<string, MetricDefinition> = {
  concept: score('Whether the generated text shows the concept: 0 no, 1 weakly, 2 clearly.'),
  instruct: score("Whether the generated text keeps to the prompt's topic: 0 no, 1 weakly, 2 clearly."),
  fluency: score(
    'Fluency of the generated text, 0 to 2, from its likelihood under the unsteered subject and its repetitions.',
  ),
  win_rate: {
    description:
      'Share of concepts with a higher overall score than without steering on the same prompts; ties count half.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: 1,
  },
};

export const CLIP_METRICS: Record<string, MetricDefinition> = {
  flip_rate: {
    description: 'Share of images of other classes whose zero-shot answer becomes the target class.',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: 1,
  },
  preservation: {
    description:
      'Share of zero-shot answers to questions unrelated to the concept that stay as they were (questions that apply ' +
      'to the image, where any does).',
    direction: 'max',
    range: [0, 1],
    unit: '',
    version: 1,
  },
  target_lift: {
    description: "Mean change of the target class' softmax probability.",
    direction: 'max',
    range: [-1, 1],
    unit: '',
    version: 1,
  },
  off_target: {
    description: 'Mean absolute change of the logits of the other classes of the same question.',
    direction: 'min',
    range: [0, null],
    unit: 'logits',
    version: 1,
  },
  selectivity: {
    description: "Mean change of the target's logit over off_target; over concepts where that is not 0.",
    direction: 'max',
    range: [null, null],
    unit: '',
    version: 1,
  },
  drift: {
    description: 'Mean 1 − cos of the image embedding before and after.',
    direction: 'min',
    range: [0, 2],
    unit: '',
    version: 1,
  },
};

/** Mean of a metric over concepts, one value each, with its interval within the metric's range. */
export function conceptMean(name: string, values: readonly number[]): Estimate | null {
  const { range } = { ...COMMON_METRICS, ...LM_METRICS, ...CLIP_METRICS }[name]!;
  return meanInterval(values, range);
}
