/** @file tfjs-node's addon, compiled against the C library in TensorFlow's wheel: calls of a compiler, no node-gyp. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, posix, relative } from 'node:path';
import { UserError } from '../errors.ts';
import { atomicWriteFile } from '../io/atomic.ts';
import { ensureFolder } from '../io/ensure-folder.ts';
import type { Environment } from '../io/hub-cache.ts';
import { runProgram } from '../io/program.ts';
import { readMembers } from '../io/wheel.ts';
import { LIBRARIES } from './pins.ts';

/** The newest version of Node-API that tfjs-node 4.22 knows: it looks for its addon in the folder of that name. */
const NODE_API = 8;

/** Where members of wheels lie below an installation: beside each other, as TensorFlow's libraries look for NVIDIA's. */
export const WHEELS = 'site-packages';

const INCLUDE = 'tensorflow/include';

const packageIn = (folder: string) => join(folder, 'node_modules/@tensorflow/tfjs-node');

function includesOf(text: string): string[] {
  return [...text.matchAll(/^\s*#\s*include\s+["<]([^">]+)[">]/gm)].map((match) => match[1]!);
}

/** Members of the wheel that the addon's sources include, and those that these do. */
export async function neededHeaders(wheel: string, folder: string): Promise<Set<string>> {
  const sources = join(packageIn(folder), 'binding');
  const texts = (await readdir(sources)).map((name) => readFile(join(sources, name), 'utf8'));
  return readMembers(wheel, async (textOf) => {
    const headers = new Set<string>();
    const open = (await Promise.all(texts)).flatMap(includesOf);
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const member = posix.join(INCLUDE, name);
      if (headers.has(member)) continue;
      const text = await textOf(member);
      // Headers of C++, of Node-API, and of the sources themselves lie elsewhere.
      if (text === undefined) continue;
      headers.add(member);
      open.push(...includesOf(text));
    }
    return headers;
  });
}

/** Folders of shared libraries of NVIDIA's, below the folder that wheels are unpacked in. */
async function cudaFolders(wheels: string): Promise<string[]> {
  const packages = await readdir(join(wheels, 'nvidia')).catch(() => []);
  return packages.sort().map((name) => join(wheels, 'nvidia', name, 'lib'));
}

/** One call of the compiler. @throws UserError with its first error. */
async function compile(
  compiler: string,
  args: readonly string[],
  options: { env: Environment; signal?: AbortSignal | undefined },
): Promise<void> {
  const { code, stderr } = await runProgram(compiler, ['-shared', '-fPIC', ...args], options);
  if (code === 0) return;
  const lines = stderr.trim().split('\n');
  const first = lines.find((line) => /\berror\b/i.test(line)) ?? lines.at(-1);
  throw new UserError(`tensorflow: ${compiler} cannot compile the addon of tfjs-node: ${first || `exit code ${code}`}`);
}

/**
 * Compiles the addon into the package's folder.
 *
 * @param folder The installation, with its modules and what is needed of the wheels; it may be moved afterwards.
 * @throws UserError with the compiler's first error.
 */
export async function compileAddon(
  compiler: string,
  folder: string,
  options: { env: Environment; signal?: AbortSignal | undefined },
): Promise<void> {
  const [module, wheels, stubs] = [packageIn(folder), join(folder, WHEELS), join(folder, 'stubs')];
  const target = join(module, 'lib', `napi-v${NODE_API}`, 'tfjs_binding.node');
  const places = [join(wheels, 'tensorflow'), ...(await cudaFolders(wheels))];
  // Empty libraries of the same names: to link against those of 0.8 GB takes ld 42 s and 0.7 GB, for the names alone.
  await ensureFolder(stubs);
  const empty = join(stubs, 'empty.cc');
  await atomicWriteFile(empty, '');
  for (const name of LIBRARIES)
    await compile(compiler, [empty, `-Wl,-soname,${name}`, '-o', join(stubs, name)], options);
  await ensureFolder(dirname(target));
  await compile(
    compiler,
    [
      ...['-std=c++17', '-O2', '-w', `-DNAPI_VERSION=${NODE_API}`],
      `-I${(createRequire(import.meta.url)('node-api-headers') as { include_dir: string }).include_dir}`,
      `-I${join(wheels, INCLUDE)}`,
      ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(module, 'binding', name)),
      ...['-o', target, `-L${stubs}`, '-Wl,--no-as-needed', ...LIBRARIES.map((name) => `-l:${name}`)],
      // RPATH, not RUNPATH: it also holds for what the libraries load by themselves later, as TensorFlow does with CUDA's.
      '-Wl,--disable-new-dtags',
      ...places.map((place) => `-Wl,-rpath,$ORIGIN/${relative(dirname(target), place)}`),
    ],
    options,
  );
  await rm(stubs, { recursive: true });
}
