/** @file What the task counts and measures of a method, and what it says of one that tells less. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../harness/activations/activation-set.ts';
import { type Tensor2D, tf } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { checkedRows, definitionsOf } from '../harness/results/rows.ts';
import task from './efficiency.ts';

const test = suite('tasks/efficiency');
test.before(async () => {
  await initBackend('auto');
});

type Method = Parameters<typeof task.run>[0]['method'];

const D = 4;
const method = (more: Partial<Method> = {}): Method =>
  ({
    ...{ id: 'fake', kind: 'sae', d_in: D, d_sae: D, sparse: true, dispose() {} },
    encode: (x) => ({ kind: 'dense', values: tf.relu(x) }),
    decode: (codes) => tf.clone(codes.values),
    cost: { parameters: 20, bytes: 80, macs: { encode: 16, decode: 3 } },
    training: { tokensPerSecond: { value: 500, ci95: [400, 600], steps: 50 }, peakBytes: 4000 },
    ...more,
  }) as Method;

async function run(evaluated: Method, repeats = 7, signal?: AbortSignal) {
  const set = memorySet(createRng(0).fillNormal(new Float32Array(30 * D)), D);
  const context = { options: { rows: 16, repeats }, test: set, method: evaluated, signal, progress() {} };
  const before = tf.memory().numTensors;
  const given = await task.run(context as never);
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  const [row] = checkedRows(given, task.metrics, 'efficiency');
  return { row: row!, cell: (name: string) => row!.metrics[name]!.value };
}

test('counted numbers as told, training as it was, inference as it is', async () => {
  const { row, cell } = await run(method());
  const told = { macs: 19, macs_encode: 16, macs_decode: 3, parameters: 20, bytes: 80, train_memory: 4000 };
  for (const [name, value] of Object.entries(told)) assert.is(cell(name), value, name);
  assert.equal(row.metrics['train_tokens_per_second'], { value: 500, ci95: [400, 600], n: 50 });
  for (const name of ['tokens_per_second', 'encode_tokens_per_second', 'tokens_per_cpu_second']) {
    const { value, ci95, n } = row.metrics[name]!;
    assert.ok(value! > 0 && ci95![0] <= value! && value! <= ci95![1] && n >= 7, name);
  }
  // The method's own 80 bytes, codes and reconstruction of 16 rows.
  assert.is(cell('memory'), 80 + 2 * 4 * 16 * D);
  // Half of each normal coordinate's variance is lost by its negative half: 1 − ½.
  assert.ok(Math.abs(cell('explained_variance')! - 0.5) < 0.25);
  assert.is(row.metrics['l0']!.n, 30);
});

test('a way past the latents is timed with the decoding', async () => {
  let passed = 0;
  const skip = (x: Tensor2D) => {
    passed += x.shape[0];
    return tf.zerosLike(x);
  };
  await run(method({ skip }), 3);
  // All rows to be measured; then 16 of them, each time.
  assert.is((passed - 30) % 16, 0);
  assert.ok(passed >= 30 + 16 * (1 + 1 + 3));
});

test('batches longer than the least time are timed as often as asked, after two to warm up', async () => {
  let batches = 0;
  const slow = (x: Tensor2D) => {
    const usage = process.cpuUsage();
    const started = performance.now();
    const used = () => process.cpuUsage(usage).user + process.cpuUsage(usage).system;
    // Other threads' time counts as used too (the collector's, say): less than 220 ms may have passed.
    while (used() < 220_000 || performance.now() - started < 220);
    batches++;
    return { kind: 'dense' as const, values: tf.relu(x) as Tensor2D };
  };
  const { row } = await run(method({ encode: slow }), 2);
  const { value, ci95, n } = row.metrics['encode_tokens_per_second']!;
  assert.equal({ ci95, n }, { ci95: null, n: 2 });
  // One measures the reconstruction.
  assert.is(batches, 1 + 2 + 2);
  assert.ok(value! < 16 / 0.22);
});

test('stopped between two batches', async () => {
  const controller = new AbortController();
  let batches = 0;
  const encode = (x: Tensor2D) => {
    if (++batches === 4) setImmediate(() => controller.abort());
    return { kind: 'dense' as const, values: tf.relu(x) as Tensor2D };
  };
  const error = await run(method({ encode }), 1000, controller.signal).catch((thrown) => thrown);
  assert.is(error.name, 'AbortError');
  assert.ok(batches < 10, `${batches} batches`);
});

test('an absent number is an empty cell with its reason', async () => {
  const { row } = await run(method({ cost: { parameters: 20, bytes: 80 }, training: undefined, decode: undefined }), 1);
  assert.is(row.metrics['macs']!.reason, "'fake' does not declare its multiply-accumulates");
  assert.is(row.metrics['train_memory']!.reason, 'not trained by this run');
  assert.is(row.metrics['tokens_per_second']!.reason, 'cannot decode');
  assert.is(row.metrics['explained_variance']!.reason, "'fake' cannot decode");
  const bare = await run(method({ kind: 'baseline', encode: undefined, cost: undefined, training: undefined }));
  assert.is(bare.row.metrics['parameters']!.reason, "'fake' does not tell its size");
  assert.is(bare.row.metrics['train_memory']!.reason, 'is no trained SAE');
  assert.is(bare.row.metrics['memory']!.reason, "'fake' has no codes");
});

test('what depends on the machine is marked in every result, what is counted is not', () => {
  const marked = Object.entries(definitionsOf(task.metrics)).filter(([, { measured }]) => measured);
  assert.equal(
    marked.map(([name]) => name),
    [
      ...['train_tokens_per_second', 'train_memory', 'encode_tokens_per_second', 'tokens_per_second'],
      ...['tokens_per_cpu_second', 'memory'],
    ],
  );
});

test.run();
