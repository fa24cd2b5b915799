/** @file The command line as tests call it: what it printed and said, and the one line of a mistake. */
import * as assert from 'uvu/assert';
import { main } from '../commands/main.ts';
import { UserError } from '../errors.ts';

/** Runs a command in this process. */
export async function runCommand(...passed: string[]): Promise<{ code: number; out: string; said: string }> {
  const printed: string[] = [];
  const said: string[] = [];
  const signal = new AbortController().signal;
  const code = await main(passed, { signal, print: (text) => printed.push(text), say: (text) => said.push(text) });
  return { code, out: printed.join('\n'), said: said.join('\n') };
}

/** The message of a command that must be refused: a user's error of one line. */
export async function mistake(...passed: string[]): Promise<string> {
  try {
    await runCommand(...passed);
  } catch (error) {
    assert.instance(error, UserError, (error as Error).stack);
    assert.not.match((error as Error).message, /\n/);
    return (error as Error).message;
  }
  throw new Error('it passed');
}
