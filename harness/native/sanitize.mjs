/**
 * @file Runs the kernel tests under AddressSanitizer and UndefinedBehaviorSanitizer: builds the addon with them and
 * preloads their runtimes into Node. `node harness/native/sanitize.mjs [--only=avx512,portable]`; Linux with g++.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

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
  'screening',
  'lifecycle',
  '../num/ops/attention',
  '../num/ops/activation',
];

execFileSync(
  process.execPath,
  [path.join(here, 'build.mjs'), '--sanitize=address,undefined', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
const runtime = (name) => execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
const env = {
  ...process.env,
  LD_PRELOAD: [runtime('libasan.so'), runtime('libubsan.so')].join(':'),
  // Node never frees some of its own memory at exit, and the pool is meant to outlive it.
  ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  SAXBENCH_NATIVE_ADDON: path.resolve(here, '../../build/native-sanitized/saxbench.node'),
};
for (const name of tests) {
  const args = ['--import', 'tsx', path.join(here, `${name}.test.ts`)];
  const { status } = spawnSync(process.execPath, args, { env, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
console.log('native kernels: no report from the sanitizers.');
