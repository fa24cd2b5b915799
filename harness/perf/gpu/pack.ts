/**
 * @file Packs what measures backend webgpu on a machine with a GPU that reaches no registry: Node of this machine, the compiled
 * code and its tests, and the few packages that they load. `npm run perf:pack -- [FOLDER]`; there: `sh FOLDER/run.sh [--quick]`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { packageRoot } from '../../paths.ts';
import { refuse, scriptArguments } from '../../testing/script-arguments.ts';
import { checkPackages, INSTALL_LINE, PACKAGES } from '../../webgpu/packages.ts';

/** Packages that draw, decode images and build: no measurement loads them, and they are large. */
const LEFT_OUT = ['echarts', 'sharp', 'node-api-headers'];
/** What tests are run by. */
const RUNNER = 'uvu';
const OWN = ['package.json', 'tsconfig.json', 'dist', 'harness', 'models', 'baselines', 'tasks', 'reports/results'];

/** No program reads maps of sources or types. */
const isNeeded = (file: string) => !/\.map$|\.d\.[cm]?ts$|\.flow$/.test(file);

/** The folder of a package as Node finds it from another's; undefined where an optional one is not here. */
function folderOf(name: string, seenFrom: string): string | undefined {
  const places = createRequire(path.join(seenFrom, 'package.json')).resolve.paths(name) ?? [];
  return places.map((place) => path.join(place, name)).find((folder) => existsSync(path.join(folder, 'package.json')));
}

/** Folders of packages and of all that they depend on, each with its place in the pack. */
function closure(names: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const add = (name: string, seenFrom: string) => {
    const folder = folderOf(name, seenFrom);
    if (!folder || found.has(folder)) return;
    // A package within another's folder stays there; one that NODE_PATH names lies among the others.
    const within = path.relative(packageRoot, folder);
    found.set(folder, within.startsWith('..') ? path.join('node_modules', name) : within);
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(path.join(folder, 'package.json'), 'utf8'),
    ) as Record<'dependencies' | 'optionalDependencies', Record<string, string> | undefined>;
    for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) add(each, folder);
  };
  for (const name of names) add(name, packageRoot);
  return found;
}

const { positionals } = scriptArguments('perf:pack', '[FOLDER]', {}, 'names');
const target = path.resolve(positionals[0] ?? 'saxbench-gpu');
if (existsSync(target)) refuse('perf:pack', `${target}: expected a new folder, found one that is there.`);
try {
  checkPackages();
} catch (error) {
  refuse('perf:pack', `${(error as Error).message}; first: ${INSTALL_LINE}`);
}
const platform = `${process.platform}-${process.arch}`;
mkdirSync(target, { recursive: true });
for (const name of OWN) {
  cpSync(path.join(packageRoot, name), path.join(target, name), { recursive: true, filter: isNeeded });
}
const manifest = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};
const loaded = Object.keys(manifest.dependencies).filter((name) => !LEFT_OUT.includes(name));
for (const [folder, place] of closure([...loaded, RUNNER, ...Object.keys(PACKAGES)])) {
  const keep = (file: string) => {
    const dawnOf = /\/webgpu\/dist\/([\w-]+)/.exec(file)?.[1];
    return isNeeded(file) && (dawnOf === undefined || dawnOf === platform);
  };
  cpSync(folder, path.join(target, place), { recursive: true, filter: keep, dereference: true });
}
cpSync(process.execPath, path.join(target, 'node'));
cpSync(path.join(packageRoot, 'harness/perf/gpu/run.sh'), path.join(target, 'run.sh'));
const archive = `${target}.tar.xz`;
rmSync(archive, { force: true });
const tar = spawnSync('tar', ['-cJf', archive, '-C', path.dirname(target), path.basename(target)], {
  stdio: 'inherit',
});
if (tar.status !== 0) refuse('perf:pack', `tar could not write ${archive}; the folder is whole all the same.`);
const mib = Math.round(statSync(archive).size / 2 ** 20);
console.log(
  `${archive}: ${mib} MiB, for ${platform}. There: tar xf ${path.basename(archive)} && sh ${path.basename(target)}/run.sh`,
);
