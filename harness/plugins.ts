/** @file `--plugin FILE`: loads a plug-in from anywhere; what it imports of `saxbench` is what runs in this process. */
import { stat } from 'node:fs/promises';
import module from 'node:module';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { shown, UserError } from './errors.ts';
import { codeExtension, exportedModules } from './paths.ts';
import type { Definition } from './plugin-check.ts';
import type { Registry } from './registry.ts';

const TYPESCRIPT = ['.ts', '.mts'];
const JAVASCRIPT = ['.js', '.mjs'];

const STACK_LINES = 60;

/**
 * Runs in Node's loader thread. `saxbench` and its parts resolve to the running modules wherever the importing file lies,
 * since a second instance would have its own, never started TensorFlow.js handle; and plug-ins and what they import are ES modules
 * even outside any package with `"type": "module"`: the compiler marks such files by a query as CommonJS.
 */
const HOOK = `
let exported;
export function initialize(data) { exported = data.exported; }
export async function resolve(specifier, context, next) {
  if (Object.hasOwn(exported, specifier)) return { url: exported[specifier], format: 'module', shortCircuit: true };
  if (/^saxbench\\/(?!package\\.json$)/.test(specifier))
    throw new Error('there is no ' + specifier + '; expected one of ' + Object.keys(exported).join(', ') + '.');
  const resolved = await next(specifier, context);
  if (resolved.url.endsWith('?saxbench-plugin')) return { ...resolved, format: 'module' };
  const helper = /^(file:.*?\\.m?ts)($|[?]|%3F)/.exec(resolved.url);
  return helper ? { ...resolved, url: helper[1], format: 'module' } : resolved;
}`;

const ready = { hook: false, typescript: codeExtension === '.ts' };

/** Order matters: the hook that is registered last is asked first, and ours must come before the compiler's. */
async function prepareLoader(typescript: boolean): Promise<void> {
  if (typescript && !ready.typescript) {
    const { register } = await import('tsx/esm/api');
    register();
    ready.typescript = true;
    ready.hook = false;
  }
  if (ready.hook) return;
  const exported = Object.fromEntries(
    Object.entries(exportedModules).map(([name, file]) => [name, pathToFileURL(file).href]),
  );
  module.register(`data:text/javascript,${encodeURIComponent(HOOK)}`, { data: { exported } });
  ready.hook = true;
}

/**
 * Loads a plug-in file (TypeScript or JavaScript, an ES module whose default export is a definition) into the registry.
 *
 * @throws UserError when the file is missing, of another type, fails while loading or exports no valid definition.
 */
export async function loadPlugin(file: string, registry: Registry): Promise<Definition> {
  const path = resolve(file);
  const extension = extname(path);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile())
    throw new UserError(`plug-in ${file}: there is no such file; give the path of a .ts or .js file.`);
  if (![...TYPESCRIPT, ...JAVASCRIPT].includes(extension)) {
    throw new UserError(`plug-in ${file}: expected a .ts, .mts, .js or .mjs file; found '${extension}'.`);
  }
  await prepareLoader(TYPESCRIPT.includes(extension));
  // Faults are told apart by their place, and TensorFlow.js alone puts ten calls between an operation and its caller.
  Error.stackTraceLimit = STACK_LINES;
  let loaded: { default?: unknown };
  try {
    loaded = (await import(`${pathToFileURL(path).href}?saxbench-plugin`)) as { default?: unknown };
  } catch (error) {
    throw new UserError(`plug-in ${file}: it does not load: ${await loadFault(error)}`);
  }
  const expected = basename(path, extension);
  const { id } = (loaded.default ?? {}) as { id?: unknown };
  if (typeof id === 'string' && id !== expected) {
    throw new UserError(
      `plug-in ${file}: expected the id '${expected}', as the file is named; found '${id}': rename one of them.`,
    );
  }
  return registry.add(loaded.default, file);
}

/** Which part of the package has what a plug-in imports from another. */
async function elsewhere(message: string): Promise<string | undefined> {
  const [, asked, name] = /'(saxbench[^']*)' does not provide an export named '([^']+)'/.exec(message) ?? [];
  if (asked === undefined || name === undefined) return undefined;
  for (const [part, file] of Object.entries(exportedModules)) {
    const there = (await import(pathToFileURL(file).href)) as object;
    if (name in there) return `'${asked}' has no '${name}': import it from '${part}'.`;
  }
  return `'${asked}' has no '${name}', nor has another of ${Object.keys(exportedModules).join(', ')}.`;
}

/** One line of an error while loading. The compiler says on its second line what is wrong and where. */
async function loadFault(error: unknown): Promise<string> {
  if (!(error instanceof Error)) return `it threw ${shown(error)}`;
  const mend = await elsewhere(error.message);
  if (mend !== undefined) return mend;
  const [first, second] = error.message.split('\n');
  return first?.endsWith(':') && second ? `${first} ${second}` : first!;
}
