/** @file Where real models lie on this machine, for tests that skip without them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Names a folder that holds real models, each in a folder of its name, e.g. `minilm-l6`. */
const VARIABLE = 'SAXBENCH_TEST_MODELS';

/** The folder of a real model, or undefined, with a line printed, where it is absent. */
export function realModel(name: string): string | undefined {
  const models = process.env[VARIABLE];
  const folder = models && join(models, name);
  if (folder && existsSync(folder)) return folder;
  console.log(`skipped: ${name}: ${folder ? `${folder} is absent` : `${VARIABLE} names no folder of real models`}`);
  return undefined;
}
