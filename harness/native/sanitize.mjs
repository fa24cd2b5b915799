/**
 * @file Runs the kernel tests under AddressSanitizer and UndefinedBehaviorSanitizer, once for each instruction set that
 * this CPU has: builds the addon with them and preloads their runtimes into Node.
 * `node harness/native/sanitize.mjs [--only=avx512,portable | --quick]`, where `--quick` takes the plainest set and the
 * one that ordinary runs use here; Linux with g++, elsewhere it says so and does nothing.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { instructionSets } from './instruction-sets.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const tests = [
  'elementwise',
  'matmul',
  'reduce',
  'layout',
  'fused',
  'encode-topk',
  'encode-above',
  'batch-errors',
  'bfloat-gemm',
  'bfloat-encode-grad',
  'bfloat-linear',
  'screening',
  'kron-screening',
  'lifecycle',
  'hostile',
  'statistics',
  'threshold',
  'on-keys',
  '../num/ops/attention',
  '../num/ops/activation',
  '../num/ops/block',
  '../num/ops/dense-encode',
  '../num/ops/draw',
  '../num/ops/group-rows',
  '../num/ops/kron-encode',
  '../num/ops/packed-linear',
];

const root = path.resolve(here, '../..');

/** The sets asked for, and with them the plainest one, which a test compares with; undefined for all of this architecture. */
function wanted() {
  const named = process.argv.find((arg) => arg.startsWith('--only='))?.slice('--only='.length);
  const plainest = Object.keys(instructionSets())[0];
  if (named) return [...new Set([plainest, ...named.split(',')])];
  if (!process.argv.includes('--quick')) return undefined;
  const { isa } = createRequire(import.meta.url)(path.join(root, 'build/native/saxbench.node')).start(1, '');
  return [...new Set([plainest, isa])];
}

if (process.platform !== 'linux' || spawnSync('g++', ['--version']).status !== 0) {
  console.log('native kernels: the sanitizers need Linux with g++; not run.');
  process.exit(0);
}
const only = wanted();
const build = [path.join(here, 'build.mjs'), '--sanitize=address,undefined', ...(only ? [`--only=${only}`] : [])];
execFileSync(process.execPath, build, { stdio: 'inherit' });

const runtime = (name) => execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
const addon = path.join(root, 'build/native-sanitized/saxbench.node');
const env = {
  ...process.env,
  LD_PRELOAD: [runtime('libasan.so'), runtime('libubsan.so')].join(':'),
  // Node never frees some of its own memory at exit, and the pool is meant to outlive it. Hostile calls ask JavaScript for
  // arrays that no machine has, which is an error there.
  ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1:allocator_may_return_null=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  SAXBENCH_NATIVE_ADDON: addon,
};
const runs = (isa) =>
  spawnSync(process.execPath, ['-e', `require(${JSON.stringify(addon)}).start(1, '${isa}')`], { env }).status === 0;

const sets = Object.keys(instructionSets(only)).filter(runs);
if (sets.length === 0) throw new Error('native kernels: no sanitized build runs on this CPU.');
/** Runs one file of tests on one set. @throws What it printed, where it failed. */
async function check(isa, name) {
  const args = ['--import', 'tsx', path.join(here, `${name}.test.ts`)];
  const options = { env: { ...env, SAXBENCH_ISA: isa }, maxBuffer: 2 ** 26 };
  await promisify(execFile)(process.execPath, args, options).catch(({ stdout, stderr }) => {
    throw new Error(`${stdout}${stderr}native kernels: ${name} failed on ${isa}.`);
  });
}

const limit = pLimit(availableParallelism());
try {
  await Promise.all(sets.flatMap((isa) => tests.map((name) => limit(() => check(isa, name)))));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
console.log(`native kernels: ${tests.length} test files on ${sets.join(', ')}: no report from the sanitizers.`);
