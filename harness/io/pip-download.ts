/** @file A wheel from the Python package index by `pip download`: fetched, never installed, nothing of it is run. */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { ensureFolder } from './ensure-folder.ts';
import { sha256File } from './hash.ts';
import { type Environment, exists } from './hub-cache.ts';
import { lastLine, runProgram } from './program.ts';

/** A package of an exact version. */
export interface PypiPackage {
  package: string;
  version: string;
  /** The file's name, where one of a certain Python or platform is meant, not that of this machine. */
  file?: string;
}

/** One file of the index, by its content. */
export interface PypiWheel extends PypiPackage {
  sha256: string;
}

/** How pip may be called, in the order in which that is tried. */
const CALLS: readonly (readonly [string, ...string[]])[] = [
  ['pip'],
  ['pip3'],
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
];

/** What tells pip the Python and the platform in a wheel's name, `…-cp311-cp311-manylinux_2_27_x86_64.whl`. */
function tagsOf(file: string): string[] {
  const [python, abi, platforms] = file
    .replace(/\.whl$/, '')
    .split('-')
    .slice(-3) as [string, string, string];
  const version = /^cp(\d)(\d+)$/.exec(python);
  return [
    ...(version ? ['--implementation', 'cp', '--python-version', `${version[1]}.${version[2]}`, '--abi', abi] : []),
    ...platforms.split('.').flatMap((platform) => ['--platform', platform]),
  ];
}

export interface DownloadOptions {
  env?: Environment;
  signal?: AbortSignal | undefined;
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
  { env = process.env, signal }: DownloadOptions = {},
): Promise<string> {
  const name = `${source.package}==${source.version}`;
  const tags = source.file === undefined ? [] : tagsOf(source.file);
  const download = ['download', '--no-deps', '--only-binary=:all:', '--quiet', ...tags, '--dest', folder, name];
  const quiet = { ...env, PIP_NO_INPUT: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  for (const [program, ...first] of CALLS) {
    const { code, stderr } = await runProgram(program, [...first, ...download], { env: quiet, signal });
    if (code === undefined || /No module named pip/.test(stderr)) continue;
    if (code !== 0) {
      const said = lastLine(stderr) || `exit code ${code}`;
      // After it has given up on the index, pip says that there is no such package.
      const reason = /connection broken by/.test(stderr) ? `the package index is out of reach (${said})` : said;
      throw new UserError(`pip: ${[program, ...first].join(' ')} download ${name} failed: ${reason}`);
    }
    const wheels = (await readdir(folder)).filter((file) => file.endsWith('.whl'));
    if (wheels.length === 1) return join(folder, wheels[0]!);
    throw new UserError(`pip: expected one wheel of ${name}, found ${wheels.join(', ') || 'none'}.`);
  }
  throw new UserError(
    `pip: expected pip, to download ${name} (it is not installed); found no pip, pip3, python3 or python: install Python.`,
  );
}

/**
 * A wheel with the content that its hash says: the file of that name in `kept`, else downloaded into it.
 *
 * @param scratch A folder for what is being downloaded, on the same disk; it is made, and removed.
 * @throws UserError as {@link pipDownload}, and for another content, which is not kept.
 */
export async function fetchWheel(
  wheel: PypiWheel,
  kept: string,
  scratch: string,
  options: DownloadOptions = {},
): Promise<string> {
  const place = join(kept, wheel.file ?? `${wheel.sha256}.whl`);
  if ((await exists(place)) && (await sha256File(place)) === wheel.sha256) return place;
  try {
    await ensureFolder(scratch);
    const found = await pipDownload(wheel, scratch, options);
    const sha256 = await sha256File(found);
    if (sha256 !== wheel.sha256) {
      throw new UserError(
        `pypi ${wheel.package}==${wheel.version}: expected a wheel of SHA-256 ${wheel.sha256}, found ${sha256}: not used.`,
      );
    }
    await ensureFolder(kept);
    await rename(found, place);
    return place;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
