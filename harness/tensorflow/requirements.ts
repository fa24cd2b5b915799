/** @file What has to be there before anything is fetched: the platform, a compiler, npm, room on the disk. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { UserError } from '../errors.ts';
import type { Environment } from '../io/hub-cache.ts';
import { runProgram } from '../io/program.ts';

/** The oldest GNU C library that the wheels load with (`manylinux_2_27`). */
const GLIBC = [2, 27] as const;

export interface Platform {
  os: string;
  arch: string;
  /** Version of the GNU C library; undefined where there is another one. */
  glibc: string | undefined;
}

export function thisPlatform(): Platform {
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return { os: process.platform, arch: process.arch, glibc: header.glibcVersionRuntime };
}

/** @throws UserError on a machine that the wheels are not for. */
export function checkPlatform({ os, arch, glibc }: Platform): void {
  const [major = 0, minor = 0] = glibc?.split('.').map(Number) ?? [];
  const fits = major > GLIBC[0] || (major === GLIBC[0] && minor >= GLIBC[1]);
  if (os === 'linux' && arch === 'x64' && fits) return;
  const library = os === 'linux' ? `, ${glibc === undefined ? 'another C library' : `glibc ${glibc}`}` : '';
  throw new UserError(
    `tensorflow: expected Linux on x64 with glibc ${GLIBC.join('.')} or newer, which TensorFlow's wheels are for; found ${os} on ${arch}${library}. ` +
      'Elsewhere: npm install @tensorflow/tfjs-node, where its prebuilt TensorFlow can be downloaded.',
  );
}

/** As `harness/native/build.mjs` looks for one. @throws UserError where there is none. */
export async function findCompiler(env: Environment): Promise<string> {
  const candidates = [...(env['CXX'] ? [env['CXX']] : []), 'g++', 'clang++', 'c++'];
  for (const name of candidates) {
    if ((await runProgram(name, ['--version'], { env })).code === 0) return name;
  }
  throw new UserError(
    `tensorflow: expected a C++17 compiler, to build the addon of tfjs-node; found none of ${candidates.join(', ')}: install one (Debian: apt install g++).`,
  );
}

/** @throws UserError where there is none on the path. */
export function checkNpm(env: Environment): void {
  if ((env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'npm')))) return;
  throw new UserError(`tensorflow: expected npm, to install tfjs-node; found none on the path: install npm.`);
}

const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

/** @throws UserError where a folder's disk has less room than is needed. */
export async function checkRoom(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  throw new UserError(
    `tensorflow: expected ${gb(needed)} free in ${folder}, for the download and the installation; found ${gb(bavail * bsize)}: free some, or name another folder in SAXBENCH_CACHE.`,
  );
}
