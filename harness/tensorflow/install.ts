/** @file `saxbench doctor --install tensorflow`: fetches, checks, unpacks, compiles, tries out; then puts it where the backend looks. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { atomicWriteFile, writeError } from '../io/atomic.ts';
import { ensureFolder } from '../io/ensure-folder.ts';
import { type Environment, hubSettings } from '../io/hub-cache.ts';
import { canonicalJson } from '../io/json.ts';
import { fetchWheel } from '../io/pip-download.ts';
import { replaceFolder } from '../io/replace-folder.ts';
import { memberBytes, unpackMembers } from '../io/wheel.ts';
import { compileAddon, neededHeaders, WHEELS } from './addon.ts';
import { installModules, pinnedModules } from './modules.ts';
import { isCudaMember, LIBRARIES, PINS, type Pins } from './pins.ts';
import { type Flavour, installationsIn, placeOf } from './place.ts';
import { type Probed, probe } from './probe.ts';
import { checkNpm, checkPlatform, checkRoom, findCompiler, type Platform, thisPlatform } from './requirements.ts';

export interface InstallOptions {
  env?: Environment;
  /** Says what is being done. */
  say?: (line: string) => void;
  signal?: AbortSignal | undefined;
  /** What is fetched; of tests another one. */
  pins?: Pins;
  platform?: Platform;
  /** Tries out an installation. */
  tryOut?: typeof probe;
}

export interface Installed extends Probed {
  flavour: Flavour;
  folder: string;
  /** Whether it was there before. */
  before: boolean;
}

/** In every installation: what it was made of. */
const RECORD = 'installed.json';

type Settings = Required<Omit<InstallOptions, 'signal'>> & Pick<InstallOptions, 'signal'>;

const wheelsOf = ({ tensorflow, cuda }: Pins) => [tensorflow, ...cuda];

/** All that is pinned, by its hashes. */
async function recordOf(pins: Pins): Promise<string> {
  const { digest } = await pinnedModules();
  return canonicalJson({ wheels: wheelsOf(pins).map(({ file, sha256 }) => ({ file, sha256 })), modules: digest }, 2);
}

/** What is there already, where it is what is pinned and still computes. */
async function foundAt(folder: string, { pins, env, signal, tryOut }: Settings): Promise<Probed | undefined> {
  const record = await readFile(join(folder, RECORD), 'utf8').catch(() => '');
  if (record !== (await recordOf(pins))) return undefined;
  return tryOut(folder, { env, signal }).catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
}

const runs = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Folders of installations in the making: whose process is gone, that one is left over. Those of other hosts are left alone. */
async function removeLeftovers(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const [, host, pid] = /^making-(.+)-(\d+)(?:\.old)?$/.exec(name) ?? [];
    if (host !== hostname() || runs(Number(pid))) continue;
    await rm(join(root, name), { recursive: true, force: true });
  }
}

/** Bytes of the pinned wheels that were fetched before. */
async function keptBytes(downloads: string, pins: Pins): Promise<number> {
  const sizes = wheelsOf(pins).map(({ file }) =>
    stat(join(downloads, file)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** All wheels, in the order of {@link wheelsOf}: what was fetched before is hashed, not fetched again. */
async function fetchWheels(downloads: string, making: string, { pins, env, say, signal }: Settings) {
  const wheels = wheelsOf(pins);
  const places: string[] = [];
  for (const [i, wheel] of wheels.entries()) {
    say(`${i + 1} of ${wheels.length}: ${wheel.package} ${wheel.version}, from the Python package index`);
    places.push(await fetchWheel(wheel, downloads, join(making, 'download'), { env, signal }));
  }
  return places as [string, ...string[]];
}

/** Makes the installation in a folder of its own. */
async function make(making: string, wheels: readonly [string, ...string[]], compiler: string, settings: Settings) {
  const { env, say, signal } = settings;
  say('tfjs-node and its packages, by npm');
  await installModules(making, { env, signal });
  const [tensorflow, ...cuda] = wheels;
  const headers = await neededHeaders(tensorflow, making);
  const libraries = LIBRARIES.map((name) => `tensorflow/${name}`);
  const chosen = [
    { wheel: tensorflow, wanted: (name: string) => headers.has(name) || libraries.includes(name) },
    ...cuda.map((wheel) => ({ wheel, wanted: isCudaMember })),
  ];
  let bytes = 0;
  for (const { wheel, wanted } of chosen) bytes += await memberBytes(wheel, wanted);
  await checkRoom(making, bytes);
  say(`unpacking ${(bytes / 1e9).toFixed(1)} GB`);
  for (const { wheel, wanted } of chosen) await unpackMembers(wheel, wanted, join(making, WHEELS), signal);
  say(`compiling the addon, by ${compiler}`);
  await compileAddon(compiler, making, { env, signal });
  await atomicWriteFile(join(making, RECORD), await recordOf(settings.pins));
}

/**
 * Installs backend `tensorflow` into saxbench's cache. It appears there whole and tried out, or not at all; wheels that were
 * fetched are kept until then, so that the next call goes on from there.
 *
 * @throws UserError where something is missing on this machine, cannot be fetched, or has another content than is pinned.
 */
export async function installTensorflow(flavour: Flavour, options: InstallOptions = {}): Promise<Installed> {
  const { env = process.env, say = () => undefined, pins = PINS[flavour], signal } = options;
  const { platform = thisPlatform(), tryOut = probe } = options;
  const settings = { env, say, pins, platform, signal, tryOut };
  checkPlatform(platform);
  const { version } = await pinnedModules();
  const [root, folder] = [installationsIn(env), placeOf(flavour, version, env)];
  const before = await foundAt(folder, settings);
  if (before) return { ...before, flavour, folder, before: true };
  const compiler = await findCompiler(env);
  checkNpm(env);
  if ((await hubSettings(env)).offline) {
    throw new UserError(
      `tensorflow: not installed in ${folder}, and HF_HUB_OFFLINE is set: unset it once, to fetch it.`,
    );
  }
  const [downloads, making] = [join(root, 'downloads'), join(root, `making-${hostname()}-${process.pid}`)];
  try {
    await ensureFolder(downloads);
    await removeLeftovers(root);
    await checkRoom(root, pins.download - (await keptBytes(downloads, pins)) + pins.installed);
    await ensureFolder(making);
    const wheels = await fetchWheels(downloads, making, settings);
    await make(making, wheels, compiler, settings);
    const probed = await tryOut(making, { env, signal });
    await replaceFolder(making, folder);
    for (const wheel of wheels) await rm(wheel, { force: true });
    return { ...probed, flavour, folder, before: false };
  } catch (error) {
    throw writeError(root, error);
  } finally {
    await rm(making, { recursive: true, force: true }).catch(() => undefined);
  }
}
