/**
 * @file The package's own code by what runs it: every plug-in and the machine of every kind of step, each with a digest
 * over all that it imports. Made with the build; made anew where the build is another one or the sources run.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sha256, sha256Json } from '../io/hash.ts';
import { codeExtension, codeRoot, packageRoot } from '../paths.ts';
import type { PluginKind } from '../plugin-check.ts';
import { PLUGIN_FOLDERS } from '../registry.ts';
import type { Code, CodeEntry, DigestedCode } from './bundle.ts';
import { keptDigests } from './kept-digests.ts';

/** What of a file of the package, named without its extension, a machine runs. */
const own = (file: string, ...names: string[]) => ({ file, names });

const LABELLED = [
  own('harness/execute/labelled', 'labelledActivations', 'wholeExamples'),
  own('harness/activations/cut-texts', 'cutTexts'),
];

/** What decides which rows a step reads. */
const ROWS = [...LABELLED, own('harness/activations/positions', 'positionRule', 'withoutPositions', 'withKeep')];

/** Hands their inputs to all steps at a site, and so imports the machine of each of them: it counts without that. */
const SITE = 'harness/execute/site';

/** The machine of each kind of step: what of it decides numbers. */
const RUNNERS = {
  collect: [...LABELLED, own('harness/execute/collect', 'collectSplit', 'itemsOf', 'openSplit')],
  import: [own('harness/activations/import', 'openImport')],
  sae: [...ROWS, own('harness/execute/fit', 'fitSae'), own('harness/train/fitted-sae', 'restoreSae')],
  baseline: [...ROWS, own('harness/execute/fit', 'fitBaseline', 'restoreBaseline')],
  checkpoint: [...ROWS, own('harness/execute/fit', 'fitCheckpoint', 'restoreCheckpoint')],
  prepare: [...ROWS, own('harness/execute/evaluate', 'prepareContext', 'prepareTask', 'readPrepared')],
  evaluate: [...ROWS, own('harness/execute/evaluate', 'prepareContext', 'evaluateTask', 'readPrepared', 'taskJudge')],
  backend: [own('harness/num/backend', 'initBackend')],
};

export type Runner = keyof typeof RUNNERS;
export const RUNNER_NAMES = Object.keys(RUNNERS) as Runner[];

/** Digests of the package's own code, with the versions of the packages that it imports. */
export interface BuiltInCode {
  runner(name: Runner): string;
  plugin(kind: PluginKind, id: string): string;
  /** The digest of any code with the versions of the packages that it names. */
  withVersions(code: Code): string;
}

/** Written beside this module by the build. */
const DIGESTS = join(codeRoot, 'harness/code/digests.json');

/** Changes with every compilation that changes anything. */
const BUILD_INFO = join(codeRoot, '.tsbuildinfo');

interface Digests {
  build: string;
  codes: Record<string, Code>;
}

const pluginName = (kind: PluginKind, id: string) => `${PLUGIN_FOLDERS[kind]}/${id}`;

/** All that is digested, under the names of runners and the paths of plug-ins. */
function digestedEntries(root: string, extension: '.ts' | '.js'): Record<string, CodeEntry> {
  const entries: Record<string, CodeEntry> = {};
  const place = (file: string) => join(root, `${file}${extension}`);
  for (const [name, parts] of Object.entries(RUNNERS)) {
    entries[name] = parts.map(({ file, names }) => ({ file: place(file), names }));
  }
  for (const folder of Object.values(PLUGIN_FOLDERS)) {
    for (const file of readdirSync(join(root, folder))) {
      if (!file.endsWith(extension) || /\.(test|d|generated)\.[tj]s$/.test(file)) continue;
      entries[`${folder}/${basename(file, extension)}`] = join(root, folder, file);
    }
  }
  return entries;
}

/** Digests all of the package's own code. */
export async function digestCode(root: string, extension: '.ts' | '.js'): Promise<DigestedCode> {
  const { codeOfFile, ownCode } = await import('./bundle.ts');
  const { codes, inputs } = await ownCode(root, digestedEntries(root, extension));
  const site = `${SITE}${extension}`;
  const code = { sha256: await codeOfFile(join(root, site)), packages: [] };
  return { codes: { ...codes, [SITE]: code }, inputs: [...new Set([...inputs, site])] };
}

/** What makes digests of the sources, and which. */
function makerOfDigests(): string {
  const files = ['harness/code/bundle.ts', 'harness/code/built-in.ts', 'package.json', 'tsconfig.json'];
  const hashes = files.map((file) => sha256(readFileSync(join(packageRoot, file))));
  return sha256Json([versionOf('esbuild'), hashes, Object.keys(digestedEntries(codeRoot, codeExtension))]);
}

function readDigests(build: string): Digests['codes'] | undefined {
  try {
    const found = JSON.parse(readFileSync(DIGESTS, 'utf8')) as Digests;
    return found.build === build ? found.codes : undefined;
  } catch {
    return undefined;
  }
}

const buildOf = () => (existsSync(BUILD_INFO) ? sha256(readFileSync(BUILD_INFO)) : 'none');

/** The digests' file, made when the build is another one than it was made of. */
export async function writeDigests(): Promise<void> {
  const build = buildOf();
  if (readDigests(build)) return;
  const { atomicWriteJson } = await import('../io/atomic.ts');
  await atomicWriteJson(DIGESTS, { build, codes: (await digestCode(codeRoot, codeExtension)).codes } satisfies Digests);
}

/** The version of an installed package, looked for where Node looks for it. */
function versionOf(name: string): string {
  for (let folder = packageRoot; ; folder = dirname(folder)) {
    const file = join(folder, 'node_modules', name, 'package.json');
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    if (dirname(folder) === folder) return 'none';
  }
}

/** Where those of the sources are kept. */
const KEPT = join(packageRoot, 'node_modules/.cache/saxbench/digests.json');

async function ownDigests(): Promise<Record<string, Code>> {
  if (codeExtension === '.ts') {
    return keptDigests(KEPT, codeRoot, makerOfDigests(), () => digestCode(codeRoot, codeExtension));
  }
  return readDigests(buildOf()) ?? (await digestCode(codeRoot, codeExtension)).codes;
}

/** Running code does not change: it is digested once in a process. */
let digested: Promise<Record<string, Code>> | undefined;

export async function builtInCode(): Promise<BuiltInCode> {
  digested ??= ownDigests();
  const codes = await digested;
  const versions = new Map<string, string>();
  const withVersions = ({ sha256: code, packages }: Code) => {
    for (const name of packages) if (!versions.has(name)) versions.set(name, versionOf(name));
    return sha256Json({ code, packages: packages.map((name) => [name, versions.get(name)]) });
  };
  const find = (name: string) => {
    const code = codes[name];
    if (code === undefined) throw new Error(`internal: no digest of the code of ${name}`);
    return withVersions(code);
  };
  const runner = (name: Runner) => sha256Json([find(name), find(SITE)]);
  return { runner, plugin: (kind, id) => find(pluginName(kind, id)), withVersions };
}
