/** @file The settings of `compare` and `history`. */
import type { Setting } from './setting.ts';

export const COMPARE_SETTINGS: readonly Setting[] = [
  {
    name: 'fail-if',
    type: 'list',
    commands: ['compare'],
    value: 'RULE',
    description:
      "What makes the comparison fail, in place of the suite's rules: 'auroc drops 0.02 at 95%', 'main worsens', 'steering.overall of topk worsens 5%', 'reconstruction.l0 changes', 'auroc not within 0.02'.",
  },
  {
    name: 'suite',
    type: 'string',
    commands: ['compare'],
    value: 'SUITE',
    description:
      'The suite whose rules hold (failIf): an id or a file; that of the results where it comes with saxbench.',
  },
  {
    name: 'across',
    type: 'list',
    commands: ['compare'],
    value: 'SETTING',
    description: 'A setting that may differ since it is what is compared, e.g. k, training.lr, backend.',
  },
  {
    name: 'baseline',
    type: 'string',
    commands: ['compare'],
    value: 'DIR',
    default: '.saxbench/baseline',
    description: 'Folder of the baselines, one <suite>.jsonl each.',
  },
  {
    name: 'history',
    type: 'string',
    commands: ['history'],
    value: 'FILE',
    default: '.saxbench/history.jsonl',
    description: 'The history: JSON lines, one a score and run.',
  },
  {
    name: 'append',
    type: 'boolean',
    default: true,
    commands: ['history'],
    description: 'Add the run (--no-append: only show).',
  },
  {
    name: 'promote',
    type: 'boolean',
    default: false,
    commands: ['compare'],
    description: 'Make the run the baseline of its suite where no rule fails, or where there is none yet.',
  },
  {
    name: 'github',
    type: 'boolean',
    default: false,
    commands: ['compare'],
    description: 'Also print what failed as annotations of GitHub Actions.',
  },
];
