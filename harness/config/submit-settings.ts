/** @file The settings of `submit` and `verify`. */
import type { Setting } from './setting.ts';

export const SUBMIT_SETTINGS: readonly Setting[] = [
  {
    name: 'licence',
    type: 'string',
    commands: ['submit'],
    value: 'SPDX',
    description: 'Licence of code and weights, e.g. Apache-2.0; that of the plug-in where it has one.',
  },
  {
    name: 'citation',
    type: 'string',
    commands: ['submit'],
    value: 'TEXT',
    description: 'What to cite: authors, year, where; the paper of the plug-in where it has one.',
  },
  {
    name: 'tuned',
    type: 'string',
    commands: ['submit'],
    value: 'TEXT',
    description:
      'What was tuned, and on what; nothing, where nothing was. Never on the suite with its own data and seeds.',
  },
  {
    name: 'rehearse',
    type: 'boolean',
    default: false,
    commands: ['submit'],
    description:
      'Only run the suite on other data (the seed of each dataset raised by one), beside the variant of its sizes: to tune on.',
  },
  {
    name: 'reference',
    type: 'string',
    commands: ['submit', 'verify'],
    value: 'DIR',
    description:
      'Folder of the protocol.json and the reference results that it is held against, in place of those of saxbench.',
  },
  {
    name: 'draw',
    type: 'number',
    min: 0,
    commands: ['verify', 'assess'],
    value: 'N',
    description:
      'verify: what draws the seed that is run again; drawn anew, and said, when not given. assess export: what draws latents, items and their order; 0 when not given.',
  },
  {
    name: 'whole',
    type: 'boolean',
    default: false,
    commands: ['verify'],
    description: 'Run every seed again.',
  },
  {
    name: 'record',
    type: 'boolean',
    default: false,
    commands: ['verify'],
    description: 'Also write what was found beside the submission, <name>.verified.json: for who merges it.',
  },
];
