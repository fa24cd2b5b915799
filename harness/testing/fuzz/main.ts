/** @file `npm run fuzz -- [--mutants=10000] [--seed=N] [reader …]`: all readers, or those named, over many mutants. */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { FUZZ_READERS } from './readers.ts';

const { values, positionals } = parseArgs({
  options: { mutants: { type: 'string', default: '10000' }, seed: { type: 'string', default: '2' } },
  allowPositionals: true,
});
const names = positionals.length > 0 ? positionals : Object.keys(FUZZ_READERS);
const unknown = names.find((name) => !Object.hasOwn(FUZZ_READERS, name));
if (unknown !== undefined) {
  console.error(`fuzz: no reader '${unknown}'. Known: ${Object.keys(FUZZ_READERS).join(', ')}.`);
  process.exit(2);
}
let found = 0;
for (const name of names) {
  const begun = Date.now();
  const complaints = await fuzz([name], Number(values.mutants), Number(values.seed));
  for (const complaint of complaints) console.log(complaint);
  console.log(
    `${name}: ${values.mutants} mutants, ${complaints.length} complaints, ${((Date.now() - begun) / 1000).toFixed(1)} s`,
  );
  found += complaints.length;
}
process.exitCode = found > 0 ? 1 : 0;
