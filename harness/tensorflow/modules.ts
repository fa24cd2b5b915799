/** @file The package tfjs-node with its dependencies, as a lock file pins them by their hashes: by npm, without their scripts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { atomicWriteFile, atomicWriteJson } from '../io/atomic.ts';
import { sha256 } from '../io/hash.ts';
import type { Environment } from '../io/hub-cache.ts';
import { runProgram } from '../io/program.ts';
import { packageRoot } from '../paths.ts';

const LOCK = join(packageRoot, 'harness/tensorflow/tfjs-node.lock.json');

interface Lock {
  packages: Record<string, { version: string }>;
}

/** What npm says where it cannot reach the registry. */
const UNREACHABLE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT)\b/;

/** The version of tfjs-node that the lock file pins, and a digest of all that it does. */
export async function pinnedModules(): Promise<{ version: string; digest: string; text: string }> {
  const text = await readFile(LOCK, 'utf8');
  const { version } = (JSON.parse(text) as Lock).packages['node_modules/@tensorflow/tfjs-node']!;
  return { version, digest: sha256(text), text };
}

/**
 * Installs tfjs-node into `folder/node_modules`.
 *
 * @throws UserError with npm's reason.
 */
export async function installModules(
  folder: string,
  options: { env: Environment; signal?: AbortSignal | undefined },
): Promise<void> {
  const { version, text } = await pinnedModules();
  const dependencies = { '@tensorflow/tfjs-node': version };
  await atomicWriteJson(join(folder, 'package.json'), { private: true, dependencies });
  await atomicWriteFile(join(folder, 'package-lock.json'), text);
  const quiet = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  const how = ['ci', '--ignore-scripts', ...quiet, '--prefix', folder];
  const { code, stderr } = await runProgram('npm', how, { ...options, cwd: folder });
  if (code === 0) return;
  // npm's first line names its code, the next one the reason, the last one a file of logs.
  const said = stderr.replaceAll(/^npm (error|ERR!) /gm, '').trim();
  const [first = `exit code ${code}`, second = ''] = said.split('\n');
  const reason = UNREACHABLE.test(said) ? `the registry is out of reach (${first})` : `${first} ${second}`.trim();
  throw new UserError(`tensorflow: npm cannot install tfjs-node: ${reason}`);
}
