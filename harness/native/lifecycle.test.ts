/** @file The backend as a whole: memory, aliases, worker threads, threads and instruction sets, exit. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native lifecycle');
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

test('what dataSync gave stays as it was, whatever is computed later', () => {
  const a = tf.mul(tf.ones([1000]), 3);
  const seen = a.dataSync();
  a.dispose();
  for (let i = 0; i < 10; i++) tf.mul(tf.ones([1000]), i).dispose();
  assert.ok(seen.every((value) => value === 3));
});

test('the caller’s own array is never written to', () => {
  const mine = Float32Array.of(1, 2, 3);
  const t = tf.tensor1d(mine);
  tf.dispose([tf.add(t, 1), t]);
  for (let i = 0; i < 5; i++) tf.mul(tf.ones([3]), i).dispose();
  assert.equal(Array.from(mine), [1, 2, 3]);
});

test('kernels that tfjs’s CPU backend serves see native tensors', () => {
  const before = tf.memory().numTensors;
  const result = tf.tidy(
    () => Array.from(tf.cumprod(tf.add(tf.tensor1d([1, 2, 3]), 1)).dataSync()) as unknown as tf.Tensor,
  );
  assert.equal(result, [2, 6, 24]);
  assert.is(tf.memory().numTensors, before);
});

test('tensors move to and from the CPU backend', async () => {
  const t = tf.add(tf.tensor1d([1, 2]), 0.5);
  await tf.setBackend('cpu');
  const doubled = tf.mul(t, 2);
  await tf.setBackend('native');
  assert.equal(Array.from(tf.add(doubled, t).dataSync()), [4.5, 7.5]);
});

test('several Node environments at once, and their end', async () => {
  const workers = Array.from({ length: 3 }, () => new Worker(here('lifecycle.worker.mjs')));
  const sums = await Promise.all(
    workers.map(
      (worker) => new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    ),
  );
  await Promise.all(workers.map((worker) => worker.terminate()));
  assert.equal(sums, [200 * 300, 200 * 300, 200 * 300]);
  assert.is(tf.sum(tf.matMul(tf.ones([200, 300]), tf.ones([300, 1]))).dataSync()[0], 200 * 300);
});

test('an addon of older sources is refused by name, with the mend', async () => {
  const file = join(tmpdir(), `saxbench-old-addon-${process.pid}.cjs`);
  writeFileSync(file, 'exports.start = () => ({ isa: "old", threads: 1, matMul() {} });');
  const source = `import { startAddon } from ${JSON.stringify(new URL('./addon.ts', import.meta.url).href)}; startAddon();`;
  try {
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
      env: { ...process.env, SAXBENCH_NATIVE_ADDON: file },
      stdio: 'pipe',
    });
    assert.unreachable();
  } catch (error) {
    assert.match(String((error as { stderr: unknown }).stderr), /was built from older sources, without 'binary'/);
  } finally {
    rmSync(file);
  }
});

/** A checksum of a few products and sums, computed in a process of its own. */
function checksum(env: Record<string, string>): string {
  const args = ['--import', 'tsx', here('lifecycle.checksum.mjs')];
  return execFileSync(process.execPath, args, { env: { ...process.env, ...env }, encoding: 'utf8' }).trim();
}

test('the same bits for any number of threads; every instruction set agrees', () => {
  const one = JSON.parse(checksum({ SAXBENCH_THREADS: '1' })) as { isa: string; bits: number; sum: number };
  const three = JSON.parse(checksum({ SAXBENCH_THREADS: '3' })) as typeof one;
  assert.is(three.bits, one.bits);
  const portable = process.arch === 'arm64' ? 'neon' : 'portable';
  const plain = JSON.parse(checksum({ SAXBENCH_ISA: portable })) as typeof one;
  assert.is(plain.isa, portable);
  assert.ok(Math.abs(plain.sum - one.sum) <= 1e-4 * Math.abs(one.sum));
});

test('variables that the backend reads: another unit for bfloat16 is named in what it says, and what is unknown is refused', () => {
  const start = (unit: string, others = {}) => {
    const source = `import { startAddon } from ${JSON.stringify(new URL('./addon.ts', import.meta.url).href)}; console.log(startAddon().bfloat);`;
    const env = { ...process.env, SAXBENCH_BFLOAT: unit, ...others };
    return execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
      env,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  };
  const own = start('').trim();
  assert.is(start('avx512_bf16').trim(), own && 'avx512_bf16');
  assert.throws(() => start('amx'), /SAXBENCH_BFLOAT: expected amx_bf16 or avx512_bf16, found 'amx'/);
  assert.throws(
    () => start('', { SAXBENCH_ISA: 'avx1024' }),
    /SAXBENCH_ISA: expected an instruction set .* found 'avx1024'/,
  );
  for (const threads of ['two', '0', '1.5', '-1'])
    assert.throws(
      () => start('', { SAXBENCH_THREADS: threads }),
      /SAXBENCH_THREADS: expected a whole number of at least 1, found/,
    );
});

if (ready) test.run();
