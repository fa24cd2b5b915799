/** @file The settings of domains: who may see their texts. */
import type { Setting } from './setting.ts';

export const DOMAIN_SETTINGS: readonly Setting[] = [
  {
    name: 'include-texts',
    type: 'boolean',
    default: false,
    commands: ['run', 'report', 'assess'],
    description:
      'Show texts of private domains in the reports and assessment pages too, where ids stand otherwise. The files then hold them: mind whom you send them to.',
  },
  {
    name: 'allow-upload',
    type: 'boolean',
    default: false,
    commands: ['run'],
    description:
      'Let a judge behind an endpoint read what is made of the private texts of a domain; without it such a run is refused.',
  },
];
