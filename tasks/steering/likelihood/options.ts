/** @file Options of steering by likelihood. */
import type { OptionsSchema } from '../../../harness/contract.ts';
import type { Kind } from '../interventions.ts';
import { STEERING_OPTIONS } from '../options.ts';
import { POSITION_OPTIONS, type PositionOptions } from '../positions.ts';
import type { LatentSelection } from '../steering-vectors.ts';

export interface LikelihoodOptions extends PositionOptions {
  concepts: number;
  pairs: number;
  tokens: number;
  factors: number[];
  extend: number;
  interventions: Kind[];
  selection: LatentSelection;
  gate: 'utility-odds' | 'perplexity';
  bound: number;
  documents: number;
  fixedFactor: number;
  leastGain: number;
  combinations: number;
}

export const LIKELIHOOD_OPTIONS: OptionsSchema = {
  concepts: STEERING_OPTIONS['concepts']!,
  pairs: {
    type: 'integer',
    minimum: 2,
    default: 16,
    description: 'Pairs of held-out texts a concept; one half chooses the factor, the other reports.',
  },
  tokens: {
    type: 'integer',
    minimum: 4,
    default: 64,
    description: 'Scored tokens of a text, and of a held-out document, at most.',
  },
  factors: {
    type: 'array',
    items: { type: 'number', exclusiveMinimum: 0 },
    minItems: 1,
    uniqueItems: true,
    default: [0.25, 0.5, 1, 2],
    description: "Strengths in units of the method's largest score for the concept on training items.",
  },
  extend: {
    type: 'integer',
    minimum: 0,
    default: 3,
    description:
      'Factors tried after the grid, one after another, for each concept: between the best and the next that breaks the bound, else beyond the end at which the best lies.',
  },
  interventions: STEERING_OPTIONS['interventions']!,
  selection: STEERING_OPTIONS['selection']!,
  ...POSITION_OPTIONS,
  gate: {
    enum: ['utility-odds', 'perplexity'],
    default: 'utility-odds',
    description:
      'What bounds the factor: the fall of UtilOdds (of concepts for which it is undefined on any selection pair of the clean subject: perplexity), or the perplexity of held-out text for all.',
  },
  bound: {
    type: 'number',
    minimum: 0,
    default: 0.25,
    description:
      'Greatest loss of utility on the selection half, in nats a token: fall of mean UtilOdds, or rise of ln perplexity (.25: × 1.28).',
  },
  documents: {
    type: 'integer',
    minimum: 2,
    default: 16,
    description: 'Held-out documents for perplexity and KL; one half bounds factors, the other reports.',
  },
  fixedFactor: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 1,
    description: 'The one factor at which the gates are read, beside the factor chosen for each concept.',
  },
  leastGain: {
    type: 'number',
    minimum: 0,
    default: 0.1,
    description: 'Gain (or drop) of PrefOdds that passes the gates of concept and robustness, in nats a token.',
  },
  combinations: {
    type: 'integer',
    minimum: 0,
    default: 4,
    description: 'Pairs of concepts that are steered to at once, each at its own chosen factor; no concept is in two.',
  },
};
