/** @file What steering reports: definitions of its metrics, of language models and of CLIPs. */
import type { MetricDefinition } from '../../harness/contract.ts';
import { crossedInterval, type Estimate, type ItemInfluences } from '../../harness/kit/index.ts';

const score = (description: string, { main = false, version = 1 } = {}): MetricDefinition => ({
  description,
  direction: 'max',
  range: [0, 2],
  unit: '',
  version,
  ...(main ? { main } : {}),
});

/** Of both kinds of subject. All are means over concepts, at each concept's chosen factor, on the reporting half. */
export const COMMON_METRICS: Record<string, MetricDefinition> = {
  overall: score(
    'Steering score, 0 to 2. LM: harmonic mean of concept, instruct and fluency of a generation (0 if any is 0), mean ' +
      'over prompts. CLIP: twice the harmonic mean of flip_rate and preservation.',
    { main: true },
  ),
  factor: {
    description: 'Factor chosen on the selection half, in units of the largest score that the method gave in training.',
    direction: 'none',
    range: [0, null],
    unit: '',
    version: 2,
  },
  at_end: {
    description:
      'Share of concepts whose chosen factor is the least or greatest that was tried: one beyond might be better.',
    direction: 'none',
    range: [0, 1],
    unit: '',
    version: 1,
  },
};

export const LM_METRICS: Record<string, MetricDefinition> = {
  concept: score('Whether the generated text shows the concept: 0 no, 1 weakly, 2 clearly.'),
  instruct: score("Whether the generated text keeps to the prompt's topic: 0 no, 1 weakly, 2 clearly."),
  fluency: score(
    'Fluency of the generated text, 0 to 2, from its likelihood under the unsteered subject, against real texts of its length, and its repetitions.',
    { version: 2 },
  ),
  win_rate: {
    description:
      'Share of concepts with a higher overall score than without steering on the same prompts; ties count half. The ' +
      'interval is over concepts alone, on these prompts.',
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

/** What each item (a prompt, an image) adds to the error of each concept's value. */
export interface SharedItems {
  influences: ItemInfluences[];
  items: number;
}

/**
 * Mean of a metric over concepts, one value each, with its interval within the metric's range: over other concepts and,
 * where it is told what prompts or images add, over other prompts or images of the same kind.
 */
export function conceptMean(name: string, values: readonly number[], shared?: SharedItems): Estimate | null {
  const { range } = { ...COMMON_METRICS, ...LM_METRICS, ...CLIP_METRICS }[name]!;
  return crossedInterval(values, shared?.influences ?? [], shared?.items ?? 0, range);
}

/** Blocks that items are folded into for {@link blocksOf}: enough for a test of differences, few enough to be kept. */
const BLOCKS = 8;

/** What each block of items (item number modulo their number) adds to the error of each value. */
export function blocksOf({ influences, items }: SharedItems): number[][] {
  const count = Math.min(BLOCKS, items);
  return influences.map(({ items: places, values }) => {
    const blocks = new Array<number>(count).fill(0);
    for (let i = 0; i < places.length; i++) blocks[places[i]! % count]! += values[i]!;
    return blocks;
  });
}
