/** @file Where a result comes from: versions, commit, machine, backend, arguments. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, platform, release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BackendInfo } from './num/backend.ts';
import { tf } from './num/tf.ts';
import { packageRoot, packageVersion } from './paths.ts';
import type { ResultProvenance } from './schema/result.generated.ts';

/** What is the same for every result of a run. */
export type RunProvenance = Omit<ResultProvenance, 'steps' | 'seconds'>;

const run = promisify(execFile);

/** The checkout's commit and whether files differ from it; undefined for an installed package or without git. */
async function gitState(): Promise<ResultProvenance['git']> {
  if (!existsSync(join(packageRoot, '.git'))) return undefined;
  try {
    const options = { cwd: packageRoot, timeout: 10_000 };
    const { stdout: commit } = await run('git', ['rev-parse', 'HEAD'], options);
    const { stdout: status } = await run('git', ['status', '--porcelain', '--untracked-files=no'], options);
    return { commit: commit.trim(), dirty: status.trim() !== '' };
  } catch {
    return undefined;
  }
}

/** @param backend The backend that runs; `initBackend()` gave it. */
export async function runProvenance(
  backend: BackendInfo,
  args: { passed: string[]; resolved: Record<string, unknown> },
): Promise<RunProvenance> {
  const { name, device, version, detail, precision } = backend;
  const git = await gitState();
  return {
    saxbench: packageVersion(),
    ...(git ? { git } : {}),
    node: process.version,
    tfjs: tf.version_core,
    backend: { name, device, version, detail, ...(precision === 'bf16' ? { precision } : {}) },
    platform: `${platform()} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    arguments: args,
  };
}
