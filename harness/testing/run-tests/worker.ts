/** @file A process that runs files of tests, one after the other, as run-tests.ts sends them. */
import type { Suite } from 'uvu/parse';
import { run } from 'uvu/run';
import { END_OF_FILE } from './output.ts';

declare global {
  // eslint-disable-next-line no-var
  var UVU_QUEUE: unknown[];
}

process.on('message', async (file: Suite) => {
  globalThis.UVU_QUEUE = [];
  try {
    await run([file]);
  } catch (error) {
    console.log(error);
  }
  process.stdout.write(`\n${END_OF_FILE}\n`);
});
