/** @file The settings of `doctor`. */
import type { Setting } from './setting.ts';

/** What `doctor` can install. */
const INSTALLABLE = ['tensorflow'] as const;

export const DOCTOR_SETTINGS: readonly Setting[] = [
  {
    name: 'install',
    type: 'string',
    choices: INSTALLABLE,
    commands: ['doctor'],
    value: 'BACKEND',
    personal: true,
    description:
      'Fetch an optional backend, check it by its hashes, build it and try it out; into the cache of saxbench.',
  },
  {
    name: 'cuda',
    type: 'boolean',
    default: false,
    commands: ['doctor'],
    personal: true,
    description: '--install tensorflow: with the libraries of CUDA 12 (3.4 GB to fetch). Untested on a GPU.',
  },
];
