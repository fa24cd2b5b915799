/**
 * @file Code as one text: what an entry really runs of itself and of everything it imports, found by a bundler's parser.
 * What tree-shaking drops, comments and types are not in it, so they change no digest. Short names for local variables are
 * not asked for: which they are depends on the letters of the whole file.
 */
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { basename, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Message, Plugin } from 'esbuild';
import { sha256 } from '../io/hash.ts';
import { codeRoot, exportedModules } from '../paths.ts';

/** Digest of code, and the packages whose versions also decide what it does. */
export interface Code {
  sha256: string;
  packages: string[];
}

/** Digests by name, and the files that they were made of, relative to the root. */
export interface DigestedCode {
  codes: Record<string, Code>;
  inputs: readonly string[];
}

/** What to digest: a whole file, or of some files the exports named. Paths are absolute. */
export type CodeEntry = string | readonly { file: string; names: readonly string[] }[];

/** Folders of the package's own code. */
const OWN = ['harness', 'models', 'baselines', 'tasks', 'reports'].map((folder) => join(codeRoot, folder) + sep);
const isOwn = (file: string) => OWN.some((folder) => file.startsWith(folder));
/** Neither the plug-in's own nor what it may be asked to mend. */
const isForeign = (file: string) => isOwn(file) || /[\\/]node_modules[\\/]/.test(file);

/** What an entry from outside imports that the digest cannot hold. */
export interface Outside {
  /** Where the graph of imports cannot be followed, in words. */
  unfollowed: string[];
  /** Whether its own files read others by themselves. */
  readsFiles: boolean;
  /** Its own files, absolute, itself among them. */
  files: string[];
  /** Packages other than this one whose code it takes in. */
  inlined: string[];
}

/** Modules through which code gets hold of other code unseen. */
const LOADERS = ['module', 'worker_threads', 'child_process', 'vm'];
const FILE_READERS = ['fs', 'fs/promises'];

const VIRTUAL = 'saxbench-code';

/** Entries that are several files' exports, as modules that re-export them. */
function virtualEntries(root: string, entries: ReadonlyMap<string, CodeEntry>): Plugin {
  return {
    name: VIRTUAL,
    setup(build) {
      build.onResolve({ filter: /^saxbench-code:/ }, ({ path }) => ({ path, namespace: VIRTUAL }));
      build.onLoad({ filter: /.*/, namespace: VIRTUAL }, ({ path }) => {
        const parts = entries.get(path.slice(VIRTUAL.length + 1)) as Exclude<CodeEntry, string>;
        const lines = parts.map(({ file, names }, i) => {
          const renamed = names.map((name) => `${name} as part${i}_${name}`);
          return `export { ${renamed.join(', ')} } from ${JSON.stringify(file)};`;
        });
        return { contents: lines.join('\n'), resolveDir: root, loader: 'js' };
      });
    },
  };
}

/** Resolves as a plug-in is loaded, and notes what leads out of what can be followed. */
function outsideImports(outside: Outside): Plugin {
  return {
    name: 'saxbench-outside',
    setup(build) {
      build.onResolve({ filter: /^[^.]/ }, ({ path, importer, kind }) => {
        if (kind === 'entry-point') return undefined;
        if (Object.hasOwn(exportedModules, path)) return { path: exportedModules[path]! };
        if (path.startsWith('file:')) return { path: fileURLToPath(path) };
        if (isBuiltin(path)) {
          const module = path.replace(/^node:/, '');
          if (!isForeign(importer)) {
            if (LOADERS.includes(module)) outside.unfollowed.push(`${importer} imports node:${module}`);
            if (FILE_READERS.includes(module)) outside.readsFiles = true;
          }
          return { path, external: true };
        }
        return isOwn(importer) && !path.startsWith('/') ? { path, external: true } : undefined;
      });
    },
  };
}

/** Imports of code that only running it would show. */
const UNSEEN = ['unsupported-dynamic-import', 'unsupported-require-call', 'indirect-require', 'direct-eval'] as const;

const OPTIONS = {
  bundle: true,
  write: false,
  metafile: true,
  format: 'esm',
  platform: 'node',
  // As Node resolves: esbuild's own condition `module` is none of Node's.
  conditions: [],
  target: 'node20',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  // A package that calls itself free of side effects may err.
  ignoreAnnotations: true,
  logLevel: 'silent',
  logOverride: Object.fromEntries(UNSEEN.map((id) => [id, 'warning'])),
  loader: { '.node': 'binary', '.wasm': 'binary', '.txt': 'text' },
} as const satisfies BuildOptions;

/** `@scope/name/deep/file` → `@scope/name`. */
const packageOf = (specifier: string) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0];

async function bundle(root: string, entries: Readonly<Record<string, CodeEntry>>, more: BuildOptions) {
  const { build } = await import('esbuild');
  const named = new Map(Object.entries(entries));
  const points = [...named].map(([out, entry]) => ({
    in: typeof entry === 'string' ? entry : `${VIRTUAL}:${out}`,
    out: encodeURIComponent(out),
  }));
  const plugins = [virtualEntries(root, named), ...(more.plugins ?? [])];
  const places = { absWorkingDir: root, outdir: join(root, 'digest') };
  const { outputFiles, metafile, warnings } = await build({
    ...OPTIONS,
    ...more,
    ...places,
    entryPoints: points,
    plugins,
  });
  const codes = outputFiles!.map(({ path, text }): [string, Code] => {
    const { imports } = metafile!.outputs[relative(root, path).replaceAll(sep, '/')]!;
    const packages = imports.map((found) => found.path).filter((specifier) => !isBuiltin(specifier));
    const name = decodeURIComponent(basename(path, '.js'));
    return [name, { sha256: sha256(text), packages: [...new Set(packages.map(packageOf))].sort() }];
  });
  return { codes: Object.fromEntries(codes), warnings, inputs: Object.keys(metafile!.inputs) };
}

/** Digests of entries of the package's own code, and the files that they were made of. Other packages count by their version. */
export async function ownCode(root: string, entries: Readonly<Record<string, CodeEntry>>): Promise<DigestedCode> {
  const { codes, inputs } = await bundle(root, entries, { packages: 'external' });
  return { codes, inputs: inputs.filter((input) => !input.startsWith(`${VIRTUAL}:`)) };
}

/** The code of one file without what it imports. */
export async function codeOfFile(file: string): Promise<string> {
  const { transform } = await import('esbuild');
  const loader = file.endsWith('.ts') ? 'ts' : 'js';
  return sha256(
    (await transform(await readFile(file, 'utf8'), { loader, minifyWhitespace: true, legalComments: 'none' })).code,
  );
}

const placeOf = ({ text, location }: Message) =>
  location ? `${resolve(codeRoot, location.file)}:${location.line}: ${text}` : text;

/** Digest of a file from outside the package, with the packages that it imports. Never throws for what it holds. */
export async function outsideCode(file: string): Promise<Code & Outside> {
  const outside: Outside = { unfollowed: [], readsFiles: false, files: [], inlined: [] };
  try {
    const { codes, warnings, inputs } = await bundle(
      codeRoot,
      { plugin: file },
      { plugins: [outsideImports(outside)] },
    );
    const unseen = warnings.filter(
      ({ id, location }) =>
        (UNSEEN as readonly string[]).includes(id) && !isForeign(resolve(codeRoot, location?.file ?? '')),
    );
    outside.unfollowed.push(...unseen.map(placeOf));
    const paths = inputs.map((input) => resolve(codeRoot, input)).filter((path) => !isOwn(path));
    const packages = paths.flatMap(
      (path) =>
        path
          .split(/[\\/]node_modules[\\/]/)
          .slice(1)
          .at(-1) ?? [],
    );
    outside.inlined = [...new Set(packages.map((path) => packageOf(path.replaceAll(sep, '/'))))].sort();
    outside.files = paths.filter((path) => !isForeign(path)).sort();
    return { ...codes['plugin']!, ...outside };
  } catch (error) {
    const { errors = [] } = error as { errors?: Message[] };
    const reason = errors.length > 0 ? placeOf(errors[0]!) : (error as Error).message;
    return { sha256: '', packages: [], ...outside, unfollowed: [reason.split('\n')[0]!] };
  }
}
