/** @file `npm run fuzz -- [--mutants=10000] [--seed=N] [reader …]`: all readers, or those named, over many mutants. */
import { refuse, scriptArguments, wholeNumber } from '../script-arguments.ts';
import { fuzz } from './fuzz.ts';
import { FUZZ_READERS } from './readers.ts';

const known = Object.keys(FUZZ_READERS);
const { values, positionals } = scriptArguments(
  'fuzz',
  `[--mutants=10000] [--seed=2] [reader …]; readers: ${known.join(', ')}`,
  { mutants: { type: 'string', default: '10000' }, seed: { type: 'string', default: '2' } },
  'names',
);
const names = positionals.length > 0 ? positionals : known;
const unknown = names.find((name) => !known.includes(name));
if (unknown !== undefined) refuse('fuzz', `no reader '${unknown}'. Known: ${known.join(', ')}.`);
// Of a number that is none no mutant would be read, and nothing found.
const mutants = wholeNumber('fuzz', 'mutants', values.mutants);
const seed = wholeNumber('fuzz', 'seed', values.seed);
let found = 0;
for (const name of names) {
  const begun = Date.now();
  const complaints = await fuzz([name], mutants, seed);
  for (const complaint of complaints) console.log(complaint);
  console.log(
    `${name}: ${mutants} mutants, ${complaints.length} complaints, ${((Date.now() - begun) / 1000).toFixed(1)} s`,
  );
  found += complaints.length;
}
process.exitCode = found > 0 ? 1 : 0;
