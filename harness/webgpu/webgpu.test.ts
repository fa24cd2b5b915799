/** @file Backend webgpu: its packages, synchronous reads, what it refuses, and our kernels against the CPU's; skipped where it does not start. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../num/allclose.ts';
import { initBackend } from '../num/backend.ts';
import { runKernel } from '../num/kernels/own.ts';
import { sparseDecode, sparseDecodeGradDecoder, sparseDecodeGradValues } from '../num/kernels/sparse-decode.ts';
import { segmentSum } from '../num/kernels/unsorted-segment-sum.ts';
import { type Tensor, tf } from '../num/tf.ts';
import { source } from '../testing/against-cpu.ts';
import { checkPackages, INSTALL_LINE } from './packages.ts';

const test = suite('webgpu');

const started = await initBackend('webgpu').catch((error: Error) => console.log(`skipped: ${error.message}`));

test('a package that is missing, or of another version, is named with what was expected', () => {
  const folder = mkdtempSync(join(tmpdir(), 'saxbench-packages-'));
  try {
    const file = join(folder, 'package.json');
    writeFileSync(file, '{"version":"0.7.0"}');
    assert.throws(() => checkPackages(() => file), /^expected webgpu 0\.6\.2, found 0\.7\.0$/);
    const missing = (name: string) => {
      throw new Error(name);
    };
    assert.throws(() => checkPackages(missing), /^webgpu is not installed$/);
    assert.is(INSTALL_LINE, 'npm install --no-save webgpu@0.6.2 @tensorflow/tfjs-backend-webgpu@4.22.0');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** tfjs would compute what is small in JavaScript. */
function onDevice<T>(run: () => T): T {
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  try {
    return tf.tidy(run as () => never);
  } finally {
    tf.env().set('WEBGPU_CPU_FORWARD', true);
  }
}

const ints = (values: number[]) => tf.tensor1d(values, 'int32');

/** [entries, segments, width]: one pass and several of the sort, more than a block, ids that nobody has, all in one. */
const SEGMENTS = [
  [5, 3, 2],
  [700, 255, 4],
  [700, 256, 3],
  [2000, 70_000, 1],
  [300, 1, 2],
] as const;

/** [n, k, d_sae, d_in]: small; and with more workgroups, for entries and for the decoder's numbers, than one dimension holds (65,535). */
const DECODED = [
  [90, 4, 37, 70],
  [16_400, 4, 65_600, 65],
] as const;

/** [rows, width, k]: of one, of all, more than threads, of none that is larger. */
const TOPK = [
  [3, 1, 1],
  [4, 300, 300],
  [5, 1000, 32],
  [2, 700, 513],
] as const;

if (started) {
  test('results name the adapter; its name, and the packages, are part of the arithmetic', () => {
    assert.ok(started.device.length > 0);
    assert.match(started.arithmetic, /webgpu 0\.6\.2, @tensorflow\/tfjs-backend-webgpu 4\.22\.0/);
    assert.ok(started.arithmetic.includes(started.device));
  });

  test('synchronous and asynchronous reads give what was computed, also while another read is under way', async () => {
    const x = tf.range(0, 3000);
    const pending = tf.add(x, 1).data();
    assert.is(tf.mul(x, 2).dataSync()[2999], 5998);
    assert.is((await pending)[2999], 3000);
    assert.equal([...onDevice(() => tf.greater(tf.range(0, 3), 1).dataSync())], [0, 0, 1]);
  });

  for (const [entries, segments, width] of SEGMENTS) {
    test(`segment sums have the CPU's bits: ${entries} entries, ${segments} segments, width ${width}`, () => {
      const from = source(entries + segments);
      const ids = Int32Array.from({ length: entries }, () => from.int(segments + 3) - 2);
      const x = Float32Array.from({ length: entries * width }, () => from.real());
      const expected = new Float32Array(segments * width);
      segmentSum(x, ids, segments, width, expected);
      const sum = onDevice(() => tf.unsortedSegmentSum(tf.tensor2d(x, [entries, width]), tf.tensor1d(ids), segments));
      assert.equal(sum.dataSync(), expected);
      sum.dispose();
    });
  }

  test('integers beyond 2^24 stay exact in sums, products and look-ups', () => {
    const big = 2 ** 26 + 1;
    const of = (compute: () => Tensor) => onDevice(() => compute().arraySync());
    assert.equal(
      of(() => tf.add(ints([big, 3]), tf.tensor2d([1, 2], [2, 1], 'int32'))),
      [
        [big + 1, 4],
        [big + 2, 5],
      ],
    );
    assert.equal(
      of(() => tf.sub(ints([big]), ints([2]))),
      [big - 2],
    );
    assert.equal(
      of(() => tf.mul(tf.range(0, 3, 1, 'int32'), tf.scalar(2 ** 24 + 1, 'int32'))),
      [0, 16777217, 33554434],
    );
    assert.equal(
      of(() => tf.gather(ints([big, 5]), ints([1, 0]))),
      [5, big],
    );
    assert.equal(
      of(() => tf.sum(tf.fill([2, 4097], 5001, 'int32'), 1)),
      [20489097, 20489097],
    );
    assert.equal(
      of(() => tf.sum(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), 0, true)),
      [[4, 6]],
    );
  });

  test('where tfjs would round integers, and where a tensor is larger than a buffer, it is refused', () => {
    assert.throws(
      () => onDevice(() => tf.slice(ints([2 ** 26 + 1, 5]), 0, 1).dataSync()),
      /expected integers up to 2\^24/,
    );
    assert.throws(() => onDevice(() => tf.tile(tf.ones([1]), [2 ** 30])), /adapter's limit of one buffer/);
  });

  for (const [n, k, d_sae, d_in] of DECODED) {
    test(`sparse decoding and its gradients: the numbers of the loops over plain arrays, a code that fires in every row, the same bits twice; n ${n}, d_sae ${d_sae}`, () => {
      const from = source(9);
      const reals = (size: number) => Float32Array.from({ length: size }, () => from.real());
      const values = reals(n * k).map((value, e) => (e % 7 === 0 ? 0 : value));
      const indices = Int32Array.from({ length: n * k }, (_, e) =>
        e % k === 0 ? 5 : 6 + (from.int(10) + 10 * ((e % k) - 1)),
      );
      const [W, dy] = [reals(d_sae * d_in), reals(n * d_in)];
      const [sum, gradValues, gradDecoder] = [
        new Float32Array(n * d_in),
        new Float32Array(n * k),
        new Float32Array(d_sae * d_in),
      ];
      sparseDecode(values, indices, W, d_in, sum);
      sparseDecodeGradValues(dy, indices, W, d_in, gradValues);
      sparseDecodeGradDecoder(dy, values, indices, d_in, gradDecoder);
      const compute = () =>
        tf.tidy(() => {
          const [v, ids, W_dec] = [
            tf.tensor2d(values, [n, k]),
            tf.tensor2d(indices, [n, k]),
            tf.tensor2d(W, [d_sae, d_in]),
          ];
          const up = tf.tensor2d(dy, [n, d_in]);
          return [
            runKernel('SparseDecode', { values: v, indices: ids, W_dec }),
            runKernel('SparseDecodeGradValues', { dy: up, indices: ids, W_dec }),
            runKernel('SparseDecodeGradDecoder', { dy: up, values: v, indices: ids }, { d_sae }),
          ].map((tensor) => tensor.dataSync());
        });
      const [first, again] = [compute(), compute()];
      assert.equal(again, first);
      for (const [i, expected] of [sum, gradValues, gradDecoder].entries())
        allclose(first[i]!, expected, { rtol: 1e-5, atol: 1e-5 });
    });
  }

  for (const [rows, width, k] of TOPK) {
    test(`the ${k} largest of ${width}: those of a sort that keeps the order of equal ones, in ${rows} rows`, () => {
      const from = source(width + k);
      // Many are equal, and zeros have both signs.
      const x = Array.from({ length: rows }, () =>
        Float32Array.from({ length: width }, () => (from.int(9) - 4) * (from.int(40) < 3 ? 1e-3 : 1)),
      );
      const best = x.map((row) =>
        Array.from(row.keys())
          .sort((a, b) => row[b]! - row[a]! || a - b)
          .slice(0, k),
      );
      const [values, indices] = onDevice(() => {
        const found = tf.topk(
          tf.tensor2d(
            x.flatMap((row) => [...row]),
            [rows, width],
          ),
          k,
        );
        return [found.values.arraySync(), found.indices.arraySync()];
      });
      assert.equal(indices, best);
      assert.equal(
        values,
        best.map((places, row) => places.map((i) => x[row]![i]!)),
      );
    });
  }

  test('a worker thread has a backend of its own', async () => {
    const worker = new Worker(new URL('webgpu.worker.mjs', import.meta.url));
    const sum = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
    await worker.terminate();
    assert.is(sum, 60_000);
  });
}

test.run();
