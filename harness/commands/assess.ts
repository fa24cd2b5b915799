/** @file `saxbench assess`: asks people about latents, and takes their ratings in. */
import { UserError } from '../errors.ts';
import type { Command } from './command.ts';

const ACTIONS = ['export', 'import'] as const;
type Action = (typeof ACTIONS)[number];

/** Settings that one of the actions alone has, where they are not as when nobody gave them. */
const OF_ACTION: Readonly<Record<Action, readonly string[]>> = {
  export: ['only', 'draw', 'refit', 'include-texts', 'overwrite'],
  import: ['ratings'],
};

export const command: Command = {
  name: 'assess',
  usage: 'assess <action> [folder]',
  summary: 'Ask people about latents: export makes an offline page of blinded questions, import scores their answers',
  positionals: {
    action: { description: 'What to do', choices: ACTIONS },
    folder: {
      description: 'Export: the folder that `run` wrote to; import: the one that export wrote to',
      default: 'saxbench-out/default',
    },
  },
  examples: [
    [
      'saxbench assess export saxbench-out/default --protocol intruder --only subjects=tiny-clip --only sites=vision.embed',
      'assess.html for raters, items.jsonl, and key.json, which is not for them',
    ],
    [
      'saxbench assess import saxbench-out/default/assess/intruder-tiny-clip-vision.embed --ratings answers/',
      'results beside those of the run, and its reports',
    ],
  ],
  async run(context) {
    const action = context.positionals['action'] as Action;
    for (const other of ACTIONS.filter((name) => name !== action)) {
      const given = OF_ACTION[other].find(
        (name) => context.values[name] !== undefined && context.values[name] !== false,
      );
      if (given !== undefined) throw new UserError(`assess ${action}: --${given} belongs to assess ${other}.`);
    }
    if (action === 'export') return (await import('./assess-export.ts')).exportAssessment(context);
    return (await import('./assess-import.ts')).importAssessment(context);
  },
};
