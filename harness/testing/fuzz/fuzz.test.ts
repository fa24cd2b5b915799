/** @file Mutants of good files for every reader: no crash, no wait, bounded memory, nothing run. More of them: `npm run fuzz`. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzz } from './fuzz.ts';
import { FUZZ_READERS } from './readers.ts';

const MUTANTS = 300;
const test = suite('fuzz');

test(`${MUTANTS} mutants for each of ${Object.keys(FUZZ_READERS).length} readers`, async () => {
  assert.equal(await fuzz(Object.keys(FUZZ_READERS), MUTANTS, 1), []);
});

test.run();
