/** @file Options of the steering task. */
import type { OptionsSchema } from '../../harness/contract.ts';
import type { Kind } from './interventions.ts';
import { POSITION_OPTIONS, type PositionOptions } from './positions.ts';
import type { LatentSelection } from './steering-vectors.ts';

export interface SteeringOptions extends PositionOptions {
  concepts: number;
  prompts: number;
  factors: number[];
  extend: number;
  interventions: Kind[];
  selection: LatentSelection;
  randomLatent: boolean;
  maxNewTokens: number;
  documents: number;
  temperature: number;
  calibration: number;
  images: number;
  pictures: number;
  judge: string | string[];
  judgeOptions: Record<string, unknown>;
}

export const STEERING_OPTIONS: OptionsSchema = {
  concepts: {
    type: 'integer',
    minimum: 1,
    default: 8,
    description: 'Concepts steered to, spread over domains.',
  },
  prompts: {
    type: 'integer',
    minimum: 2,
    default: 10,
    description: 'LM: prompts a concept; the first half chooses the factor, the other half reports.',
  },
  factors: {
    type: 'array',
    items: { type: 'number' },
    minItems: 1,
    uniqueItems: true,
    default: [0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3],
    description: "Strengths in units of the method's largest score for the concept on training items.",
  },
  extend: {
    type: 'integer',
    minimum: 0,
    default: 2,
    description:
      'Factors tried beyond the grid, one after another, for a concept whose best lies at an end of what was tried; each is ' +
      'as far from the end as its neighbour is, in ratio (at most 2).',
  },
  interventions: {
    type: 'array',
    items: { enum: ['add', 'clamp', 'patch', 'replace'] },
    minItems: 1,
    uniqueItems: true,
    default: ['add', 'clamp'],
    description:
      'add: x + factor · scale · direction. Of sparse dictionaries only: clamp, the latent set to factor · scale; patch, the same as ' +
      'x + decode(changed codes) − decode(codes); replace, decode(changed codes), without what the dictionary leaves unexplained.',
  },
  selection: {
    enum: ['auroc', 'label', 'output-score'],
    default: 'auroc',
    description:
      'How the latent of a dictionary is chosen: best training AUROC; by a file of labels; LM: of the 10 of best AUROC the one of largest output score.',
  },
  randomLatent: {
    type: 'boolean',
    default: false,
    description:
      'LM: a sparse dictionary is also steered by a latent drawn at random among those that fire on training items, added as long as the chosen one: its own control.',
  },
  ...POSITION_OPTIONS,
  maxNewTokens: { type: 'integer', minimum: 1, default: 32, description: 'LM: tokens generated a prompt.' },
  temperature: { type: 'number', minimum: 0, default: 1, description: 'LM: sampling temperature.' },
  documents: {
    type: 'integer',
    minimum: 0,
    default: 8,
    description:
      'LM: held-out documents, of each at most 64 tokens, whose perplexity and KL say what the chosen factors cost.',
  },
  calibration: {
    type: 'integer',
    minimum: 2,
    default: 128,
    description: 'LM: held-out texts that calibrate the fluency scale.',
  },
  images: {
    type: 'integer',
    minimum: 2,
    default: 64,
    description: 'CLIP: held-out images a concept; the first half chooses the factor, the other half reports.',
  },
  pictures: {
    type: 'integer',
    minimum: 0,
    default: 2,
    description:
      'CLIP: images a concept, of the half that chooses, of which reports show where each factor takes them; 0 = none.',
  },
  judge: {
    type: ['string', 'array'],
    items: { type: 'string' },
    minItems: 1,
    uniqueItems: true,
    default: 'dataset',
    description:
      "LM: the judge of generated texts (`ls judges`); dataset: the dataset's own. Of several the first ranks, and all rate the same texts.",
  },
  judgeOptions: { type: 'object', default: {}, description: 'Options of the judge; of several, by their ids.' },
};
