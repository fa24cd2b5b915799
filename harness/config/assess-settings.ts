/** @file The settings of `assess`. */
import type { Setting } from './setting.ts';

export const ASSESS_SETTINGS: readonly Setting[] = [
  {
    name: 'protocol',
    type: 'string',
    choices: ['intruder', 'pair', 'detection', 'fuzzing', 'name'],
    default: 'intruder',
    commands: ['assess'],
    description: 'Export: what raters are asked.',
  },
  {
    name: 'latents',
    type: 'number',
    min: 1,
    default: 15,
    commands: ['assess'],
    value: 'N',
    description: 'Export: latents of each method.',
  },
  {
    name: 'window',
    type: 'number',
    min: 4,
    default: 24,
    commands: ['assess'],
    value: 'N',
    description: 'Export: tokens of a text that are shown.',
  },
  {
    name: 'stratify',
    type: 'string',
    choices: ['density', 'ms'],
    default: 'density',
    commands: ['assess'],
    description: 'Export: by what the strata are made that latents are drawn from.',
  },
  {
    name: 'refit',
    type: 'boolean',
    default: false,
    commands: ['assess'],
    description: 'Export: compute again what the store has lost of the run.',
  },
  {
    name: 'ratings',
    type: 'list',
    commands: ['assess'],
    value: 'FILE',
    description: 'Import: a ratings.csv of a rater, or a folder of them.',
  },
];
