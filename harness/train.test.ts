/** @file The trainer: resume after kill -9, aborts, bad input, targets, data larger than memory. */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import relu from '../models/sae/relu.ts';
import topk from '../models/sae/topk.ts';
import { activationSet, memorySet } from './activations/activation-set.ts';
import type { SaeDefinition } from './contract.ts';
import { UserError } from './errors.ts';
import { initBackend } from './num/backend.ts';
import { tf } from './num/tf.ts';
import { inFolder, rejection } from './testing/failing.ts';
import { sparseData } from './testing/sparse-data.ts';
import { type TrainSaeOptions, trainSae } from './train.ts';

const test = suite('trainer');
test.before(async () => {
  await initBackend('wasm');
});

const CHILD = fileURLToPath(new URL('./testing/train-child.ts', import.meta.url));

/** Runs the child until it ends, or kills it with SIGKILL once it has printed `killAt`. */
async function child(folder: string | undefined, killAt?: string): Promise<string[]> {
  const args = ['--import', 'tsx', CHILD, ...(folder === undefined ? [] : [folder])];
  const running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  for await (const line of createInterface({ input: running.stdout })) {
    lines.push(line);
    if (line === killAt) running.kill('SIGKILL');
  }
  return lines;
}

/** A short run on easy data. */
const short = (changes: Partial<TrainSaeOptions> = {}): TrainSaeOptions => ({
  activations: sparseData({ n: 500 }).set,
  d_sae: 24,
  hp: { k: 2 },
  ...changes,
  training: { tokens: 640, batchSize: 64, ...changes.training },
});

test('killed in the middle and started again, it ends with the same bits', async () => {
  await inFolder(async (folder) => {
    const [whole, killed] = await Promise.all([child(undefined), child(folder, 'step 130')]);
    assert.not.ok(
      killed.some((line) => line.startsWith('hash')),
      'the kill came too late',
    );
    const resumed = await child(folder);
    // A checkpoint was taken at step 120; the write of a later one may have been under way.
    assert.ok(['step 121', 'step 161'].includes(resumed[0]!), resumed[0]);
    assert.is(resumed.at(-1), whole.at(-1));
    assert.match(whole.at(-1)!, /^hash [0-9a-f]{64} [0-9a-f]{64}$/);
  });
});

test('an abort leaves a checkpoint that continues', async () => {
  await inFolder(async (folder) => {
    const controller = new AbortController();
    const options = short({ checkpointDir: folder, training: { tokens: 1280 } });
    const seen: number[] = [];
    const stopped = trainSae(topk, {
      ...options,
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === 7) controller.abort(new Error('stop'));
      },
    });
    assert.is((await rejection(stopped)).message, 'stop');
    const trained = await trainSae(topk, { ...options, onProgress: ({ step }) => seen.push(step) });
    assert.is(seen[0], 8);
    assert.is(trained.steps, 20);
    trained.dispose();
    const again = await trainSae(topk, { ...options, onProgress: () => assert.unreachable('it was finished') });
    again.dispose();
  });
});

test('an abort while few latents are active, where codes are sparse, ends with the same bits', async () => {
  // The backend with sparse codes for small dictionaries, where it is built.
  const { name } = await initBackend('auto');
  await inFolder(async (folder) => {
    const options = {
      ...short({
        activations: sparseData({ d: 40, n: 500 }).set,
        d_sae: 96,
        training: { tokens: 256 * 60, batchSize: 256 },
      }),
      hp: { targetL0: null, lambda: 8 },
    };
    const kinds: string[] = [];
    const watched: typeof relu = {
      ...relu,
      loss: (...given) => {
        const made = relu.loss(...given);
        kinds.push(made.codes.kind);
        return made;
      },
    };
    const bits = async (changes: Partial<TrainSaeOptions>) => {
      const trained = await trainSae(watched, { ...options, ...changes });
      const { tensors } = trained.state();
      const all = Object.keys(tensors)
        .sort()
        .map((key) => Array.from(tensors[key]!.data));
      trained.dispose();
      return all;
    };
    const whole = await bits({});
    const wholeKinds = kinds.splice(0);
    if (name === 'native') assert.is(wholeKinds[40], 'topk');
    const controller = new AbortController();
    const onProgress: TrainSaeOptions['onProgress'] = ({ step }) => {
      if (step === 40) controller.abort(new Error('stop'));
    };
    await rejection(bits({ checkpointDir: folder, signal: controller.signal, onProgress }));
    kinds.length = 0;
    assert.equal(await bits({ checkpointDir: folder }), whole);
    assert.equal(kinds, wholeKinds.slice(40));
  });
  await initBackend('wasm');
});

test('a checkpoint of another run, and a damaged one, are refused', async () => {
  await inFolder(async (folder) => {
    (await trainSae(topk, short({ checkpointDir: folder }))).dispose();
    const refused = async (pattern: RegExp, options: TrainSaeOptions) => {
      const error = await rejection(trainSae(topk, options));
      assert.instance(error, UserError);
      assert.match(error.message, pattern);
    };
    await refused(/belongs to another run/, short({ checkpointDir: folder, seed: 1 }));
    const path = join(folder, 'checkpoint.safetensors');
    await writeFile(path, (await readFile(path)).subarray(0, 5000));
    await refused(/truncated/, short({ checkpointDir: folder }));
  });
});

test('a loss that is not finite stops with its numbers', async () => {
  const loss: typeof topk.loss = (params, batch, state, hp) => {
    const made = topk.loss(params, batch, state, hp);
    return state.step < 3 ? made : { ...made, total: tf.mul(made.total, Number.NaN) };
  };
  const explosive = { ...topk, loss };
  const before = tf.memory().numTensors;
  const error = await rejection(trainSae(explosive, short()));
  assert.instance(error, UserError);
  assert.match(error.message, /sae topk: the loss is NaN at step 4 \(nmse [\d.]+, aux [\d.]+\)/);
  assert.is(tf.memory().numTensors, before);
});

test('numbers that a resume would give back as others are refused: infinite scalars and carry', async () => {
  const failing: [Partial<typeof topk>, RegExp][] = [
    [
      {
        afterStep: (_params, state) => {
          state.scalars['best'] = state.step < 2 ? 1 : Infinity;
          return {};
        },
      },
      /sae topk: step 3: state\.scalars\.best: expected a finite number; found Infinity/,
    ],
    [
      { loss: (...given) => ({ ...topk.loss(...given), carry: { near: Number.NaN } }) },
      /sae topk: step 1: state\.last\.carry\.near: expected a finite number; found NaN/,
    ],
  ];
  for (const [hooks, message] of failing) {
    const error = await rejection(trainSae({ ...topk, ...hooks }, short()));
    assert.match(error.message, message);
  }
});

test('wrong input is refused with what was expected and found', async () => {
  const { set } = sparseData({ n: 100 });
  const d = set.d_in;
  const cases: [RegExp, Partial<TrainSaeOptions>, SaeDefinition?][] = [
    [/k: expected a whole number from 1 to d_sae = 4, found 5/, { d_sae: 4, hp: { k: 5 } }],
    [/k: expected a whole number .* found 2.5/, { hp: { k: 2.5 } }],
    [/unknown hyper-parameter of topk 'kk'.*Did you mean: k\?/, { hp: { kk: 2 } }],
    [/unknown training option 'batch_size'.*Did you mean: batchSize/, { training: { batch_size: 3 } as never }],
    [/training: lr: expected a number from 0 to 1000, found -1/, { training: { lr: -1 } }],
    [/training: batchSize: expected a whole number, found 1.5/, { training: { batchSize: 1.5 } }],
    [/training: lrDecay: expected one of none, linear, cosine, found step/, { training: { lrDecay: 'step' as never } }],
    [/d_sae: expected a whole number of at least 1, found 0/, { d_sae: 0, hp: { k: 1 } }],
    [
      /no row is kept under the policy 'every row'/,
      { activations: memorySet(new Float32Array(d), d, { keep: new Uint8Array(1) }) },
    ],
    [
      /mean norm of 4 rows: expected a positive number, found 0/,
      { activations: memorySet(new Float32Array(4 * d), d) },
    ],
    [
      /^activations: expected rows that differ, found 4 times the same one: nothing to learn\.$/,
      { activations: memorySet(new Float32Array(4 * d).fill(2), d) },
    ],
    [/targetL0: expected a number above 0 and at most d_sae = 24, found 25/, { hp: { targetL0: 25 } }, relu as never],
    [/needs a target site/, {}, { ...topk, data: { target: 'other-site' } } as never],
    [
      /cannot fold an input scale back/,
      { training: { normalise: 'mean-norm' } },
      { ...topk, foldScale: undefined } as never,
    ],
  ];
  const before = tf.memory().numTensors;
  for (const [pattern, options, definition] of cases) {
    const error = await trainSae(definition ?? (topk as never), short(options)).then(
      () => new Error(`accepted: ${pattern}`),
      (found: Error) => found,
    );
    assert.match(error.message, pattern);
    assert.instance(error, UserError);
  }
  assert.is(tf.memory().numTensors, before);
});

test('activations ten times larger than the memory train, with the batches of a large memory', async () => {
  const { set, d } = sparseData({ n: 6000 });
  const bytes = set.n * d * 4;
  let held = 0;
  const limited = activationSet(
    {
      ...set,
      view: undefined,
      read(start, end) {
        held = Math.max(held, (end - start) * d * 4);
        return set.read(start, end);
      },
    },
    bytes / 10,
  );
  const run = async (activations: typeof set) => {
    const trained = await trainSae(topk, short({ activations, training: { tokens: 6400 } }));
    trained.dispose();
    return trained.curve;
  };
  const small = await run(limited);
  assert.equal(small, await run(set));
  const reading = activationSet({ ...limited, key: 'again' }, bytes / 10);
  held = 0;
  const batches = reading.shuffled(64, 0)[Symbol.asyncIterator]();
  for (let i = 0; i < 50; i++) await batches.next();
  assert.ok(held <= bytes / 10, `${held} of ${bytes} bytes at once`);
});

test('a target site is read at the rows of the input, and must keep the same rows', async () => {
  const { set, d } = sparseData({ n: 300 });
  const x = await set.read(0, 300);
  const doubled = memorySet(
    x.map((value) => 2 * value),
    d,
    { key: 'doubled' },
  );
  const seen: boolean[] = [];
  const transcoder = {
    ...relu,
    data: { target: 'other-site' },
    loss(params, batch, state, hp) {
      const off = tf.tidy(() => tf.max(tf.abs(tf.sub(tf.mul(batch.x, 2), batch.target))).dataSync()[0]!);
      seen.push(off < 1e-5);
      return relu.loss(params, batch, state, hp);
    },
  } as typeof relu;
  const options = short({ activations: set, hp: { targetL0: 2 } });
  (await trainSae(transcoder, { ...options, target: doubled })).dispose();
  assert.is(seen.length, 10);
  assert.ok(seen.every(Boolean));
  const keep = new Uint8Array(300).fill(1);
  keep[7] = 0;
  const other = memorySet(x, d, { keep });
  const error = await rejection(trainSae(transcoder, { ...options, target: other }));
  assert.match(error.message, /kept rows differ/);
});

test('the preceding position comes with each row that has one', async () => {
  const d = 4;
  const x = new Float32Array(60 * d).map((_, i) => Math.floor(i / d) + 1);
  const bounds = Uint32Array.from({ length: 13 }, (_, i) => 5 * i);
  const positions = Uint32Array.from({ length: 60 }, (_, row) => row % 5);
  const keep = Uint8Array.from(positions, (position) => (position === 0 ? 0 : 1));
  const set = memorySet(x, d, { bounds, positions, keep });
  let rows = 0;
  const definition = {
    ...topk,
    data: { previous: true },
    loss(params, batch, state, hp) {
      const gap = tf.tidy(() => tf.sub(batch.x, batch.previous!).dataSync());
      rows += gap.length / d;
      assert.ok(gap.every((value) => Math.abs(value - 1) < 1e-5));
      return topk.loss(params, batch, state, hp);
    },
  } as typeof topk;
  (await trainSae(definition, short({ activations: set, training: { normalise: 'none' } }))).dispose();
  assert.is(rows, 640);
});

test.run();
