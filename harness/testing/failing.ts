/** @file What tests of bad input share: a folder of their own, and the error that an attempt ends with. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';

/** Runs `use` in a new temporary folder, which is removed afterwards. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-test-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What a promise was rejected with. Throws when it was not. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a rejection');
}

/** The message of the UserError that something ends with: one line. Throws when it ended otherwise. */
export async function refusal(attempt: Promise<unknown> | (() => unknown)): Promise<string> {
  const error = await rejection((async () => (typeof attempt === 'function' ? attempt() : attempt))());
  assert.instance(error, UserError, String(error));
  assert.not.match(error.message, /\p{Cc}/u);
  return error.message;
}
