/** @file `npm run rescore`: see rescore.ts. */
import { UserError } from '../../errors.ts';
import { refuse, scriptArguments } from '../../testing/script-arguments.ts';
import type { Unreadable } from './protocol.ts';
import { rescore } from './rescore.ts';

const { values, positionals } = scriptArguments(
  'rescore',
  'DIR [DIR …] [--unreadable missing|zero]: runs as AxBench writes them, with inference/ and evaluate/',
  { unreadable: { type: 'string', default: 'missing' } },
  'names',
);
const { unreadable } = values;
if (unreadable !== 'missing' && unreadable !== 'zero') {
  refuse('rescore', `--unreadable: expected missing or zero, found '${unreadable}'.`);
}
if (positionals.length === 0) refuse('rescore', 'expected a folder of a run; found none.');
try {
  for (const folder of positionals) {
    const lines = await rescore(folder, unreadable as Unreadable);
    if (lines.length === 0) {
      throw new UserError(
        `${folder}: expected inference/latent_data.parquet or evaluate/steering_data.parquet; found neither.`,
      );
    }
    console.log([folder, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  refuse('rescore', error.message);
}
