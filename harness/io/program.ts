/** @file Runs another program to its end, and keeps what it said. */
import { spawn } from 'node:child_process';
import type { Environment } from './hub-cache.ts';

export interface Outcome {
  /** Undefined where there is no such program. */
  code: number | undefined;
  stdout: string;
  stderr: string;
}

/** Characters kept of each stream, from its end. */
const KEPT = 8000;

/** The last line of a text, where programs say why they failed. */
export const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** @throws An `AbortError` when the signal stopped it. */
export function runProgram(
  program: string,
  args: readonly string[],
  { env = process.env, cwd, signal }: { env?: Environment; cwd?: string; signal?: AbortSignal | undefined } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
      ...(signal === undefined ? {} : { signal }),
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] = (said[stream] + text).slice(-KEPT);
      });
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'EACCES') resolve({ code: undefined, ...said });
      else reject(error);
    });
    child.on('close', (code) => resolve({ code: code ?? 1, ...said }));
  });
}
