/** @file What a folder of results was made with, so that a later command can open its run again. */
import { join } from 'node:path';
import type { Values } from '../config/read.ts';
import { readSettings } from '../config/read.ts';
import { UserError } from '../errors.ts';
import { atomicWriteJson } from '../io/atomic.ts';
import { readJson } from '../io/json.ts';

/** Beside the folder `results`. */
export const RUN_RECORD = 'run.json';

/** The latest run that wrote to a folder. */
export interface RunRecord {
  /** Where its relative paths start. */
  cwd: string;
  /** The suite as it was named. */
  suite: string;
  values: Values;
}

export async function writeRunRecord(out: string, { cwd, suite, values }: RunRecord): Promise<void> {
  await atomicWriteJson(join(out, RUN_RECORD), { format: 1, cwd, suite, settings: values }, { durable: false });
}

/** @throws UserError where there is none, it is not one, or its paths start elsewhere. */
export async function readRunRecord(out: string): Promise<RunRecord> {
  const file = join(out, RUN_RECORD);
  const again = 'run the same saxbench run again, with the same --out: what is there is not computed anew';
  const found = (await readJson(file, 'run record').catch((error: unknown) => {
    if (error instanceof UserError) throw new UserError(`${error.message} It says how the run was made: ${again}.`);
    throw error;
  })) as { format?: unknown; cwd?: unknown; suite?: unknown; settings?: unknown } | null;
  const { format, cwd, suite, settings } = found ?? {};
  if (format !== 1 || typeof cwd !== 'string' || typeof suite !== 'string' || typeof settings !== 'object') {
    throw new UserError(`${file}: expected what saxbench run writes (format 1, cwd, suite, settings): ${again}.`);
  }
  if (cwd !== process.cwd()) {
    throw new UserError(
      `${file}: expected to be in ${cwd}, where the run was made and its paths start; found ${process.cwd()}: cd there.`,
    );
  }
  // Variables of this moment are none of that run's.
  return { cwd, suite, values: await readSettings('run', (settings ?? {}) as Record<string, unknown>, {}) };
}
