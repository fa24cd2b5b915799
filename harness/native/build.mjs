/**
 * @file Compiles harness/native/src into build/native/saxbench.node with the C++ compiler that is there (no node-gyp).
 * `node harness/native/build.mjs [--sanitize=address,undefined] [--only=avx512] [--force]`. Without a compiler it says so
 * in one line and succeeds: the wasm backend serves then.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { instructionSets } from './instruction-sets.mjs';

const sourceDir = path.join(path.dirname(fileURLToPath(import.meta.url)), 'src');
const packageRoot = path.resolve(sourceDir, '../../..');
const sanitize = process.argv.find((arg) => arg.startsWith('--sanitize='))?.slice('--sanitize='.length);
const only = process.argv
  .find((arg) => arg.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');
const force = process.argv.includes('--force');
const buildDir = path.join(packageRoot, 'build', sanitize ? 'native-sanitized' : 'native');
const addon = path.join(buildDir, 'saxbench.node');

/** Sources compiled once, for any CPU of the architecture; all others are kernels, compiled for every instruction set. */
const common = ['addon.cc', 'amx.cc', 'pool.cc'];

function findCompiler() {
  const candidates = [process.env.CXX, 'g++', 'clang++', 'c++'].filter((name) => name !== undefined && name !== '');
  return candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} failed (${code}): ${args.join(' ')}`)),
    );
  });
}

/** Runs the jobs, as many at a time as there are cores. */
async function runAll(jobs) {
  const queue = [...jobs];
  const lanes = Array.from({ length: os.availableParallelism() }, async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job();
  });
  await Promise.all(lanes);
}

function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 24);
}

const readIfThere = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

async function build() {
  if (process.platform === 'win32')
    return console.log('native backend: not built on Windows; the wasm backend serves.');
  const compiler = findCompiler();
  if (!compiler) return console.log('native backend: no C++ compiler (g++ or clang++) found; the wasm backend serves.');
  const headers = createRequire(import.meta.url)('node-api-headers').include_dir;

  const files = readdirSync(sourceDir).sort();
  const read = (name) => readFileSync(path.join(sourceDir, name), 'utf8');
  /** The headers that a source includes, and those that they do: what else makes its object stale. */
  const headersOf = (name, known = new Set()) => {
    for (const [, header] of read(name).matchAll(/^#include "([^"]+)"/gm)) {
      if (known.has(header)) continue;
      known.add(header);
      headersOf(header, known);
    }
    return [...known].sort();
  };
  const sets = instructionSets(only);
  const flags = [
    '-std=c++17',
    // Sanitized builds are for reports, not for speed, but products must still be contracted into multiply-adds.
    ...(sanitize ? ['-O1', '-fexpensive-optimizations'] : ['-O3']),
    '-fPIC',
    '-fvisibility=hidden',
    '-Wall',
    '-Wextra',
    '-Wno-unknown-pragmas',
    '-pthread',
  ];
  if (sanitize) flags.push(`-fsanitize=${sanitize}`, '-fno-omit-frame-pointer', '-g', '-fno-sanitize=vptr');
  // NaN and infinities keep their meaning: only errno and floating-point traps are given up, which vectorising needs.
  const kernelFlags =
    '-fno-exceptions -fno-rtti -ffp-contract=fast -fno-math-errno -fno-trapping-math -Wno-psabi'.split(' ');
  const defines = Object.keys(sets).map((isa) => `-DSAX_WITH_${isa.toUpperCase()}`);

  const units = [];
  for (const name of files.filter((file) => file.endsWith('.cc'))) {
    if (common.includes(name)) {
      units.push({
        name,
        object: name.replace('.cc', '.o'),
        args: [...flags, ...defines, `-I${headers}`, `-DNAPI_VERSION=8`],
      });
    } else {
      for (const [isa, extra] of Object.entries(sets))
        units.push({ name, object: name.replace('.cc', `.${isa}.o`), args: [...flags, ...kernelFlags, ...extra] });
    }
  }
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout;
  for (const unit of units)
    unit.key = digest([version, ...unit.args, ...headersOf(unit.name).map(read), read(unit.name)]);
  const total = digest(units.map((unit) => unit.object + unit.key));
  const stamp = path.join(buildDir, 'stamp');
  if (!force && existsSync(addon) && readIfThere(stamp) === total) return;

  mkdirSync(buildDir, { recursive: true });
  const started = performance.now();
  const stale = units.filter((unit) => force || readIfThere(path.join(buildDir, `${unit.object}.key`)) !== unit.key);
  await runAll(
    stale.map((unit) => async () => {
      const object = path.join(buildDir, unit.object);
      await run(compiler, ['-c', path.join(sourceDir, unit.name), '-o', object, ...unit.args]);
      writeFileSync(`${object}.key`, unit.key);
    }),
  );
  const link = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
  if (sanitize) link.push(`-fsanitize=${sanitize}`);
  // Linked beside and renamed, so that a process that has the old addon mapped keeps it whole.
  const fresh = `${addon}.${process.pid}`;
  const objects = units.map((unit) => path.join(buildDir, unit.object));
  await run(compiler, [
    ...link,
    '-o',
    fresh,
    ...objects,
    '-pthread',
    ...(process.platform === 'linux' ? ['-ldl'] : []),
  ]);
  renameSync(fresh, addon);
  writeFileSync(stamp, total);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`native backend: built for ${Object.keys(sets).join(', ')} in ${seconds} s (${compiler}).`);
}

try {
  await build();
} catch (error) {
  console.log(`native backend: the build failed, the wasm backend serves (${error.message.slice(0, 300)}).`);
}
