/** @file Execution: what is there is not done again, a failure costs its own results only, a kill loses nothing. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodeOf } from './execute.ts';
import { tf } from './num/tf.ts';
import { planSteps } from './plan.ts';
import { readResult, resultFiles } from './results.ts';
import { runToy } from './testing/toy-run.ts';

const test = suite('execute');
let folder: string;
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-execute-'));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

/** Numbers of results by place: everything but provenance and the checksum over it. */
async function numbersIn(out: string): Promise<Record<string, unknown>> {
  const files = await resultFiles(out);
  const entries = await Promise.all(
    files.map(async (file) => {
      const { provenance: _provenance, checksum: _checksum, ...rest } = await readResult(file);
      return [file.slice(out.length), rest] as const;
    }),
  );
  return Object.fromEntries(entries);
}

/** The file of a method's result, once it is there. */
function resultOf(method: string, seed: number): string | undefined {
  const site = join(folder, 'out/results/toy-model/blocks.0.hook_resid_post');
  const own = existsSync(site) ? readdirSync(site).filter((name) => name.startsWith(`${method}-`)) : [];
  return own.map((name) => join(site, name, `toy-task/seed-${seed}.json`)).find(existsSync);
}

test('runs everything once and writes a result for each', async () => {
  const { summary, out } = await runToy(folder);
  assert.equal(summary.failures, []);
  assert.equal(summary.computed, { activations: 3, fit: 3, prepare: 1, evaluate: 3 });
  const site = 'toy-model/blocks.0.hook_resid_post';
  const [mean, none] = [summary.results[0]!, summary.results.at(-1)!].map(({ method }) => method.identity.slice(0, 8));
  assert.equal(
    (await resultFiles(out)).map((file) => file.slice(join(out, 'results').length + 1)),
    [
      `${site}/toy-mean-${mean}/toy-task/seed-0.json`,
      `${site}/toy-mean-${mean}/toy-task/seed-1.json`,
      `${site}/toy-null-${none}/toy-task/seed-0.json`,
    ],
  );
  const [result] = summary.results;
  assert.is(result!.method.control, false);
  assert.is(summary.results.at(-1)!.method.control, true);
  assert.equal(Object.keys(result!.provenance.steps).sort(), [
    'evaluate',
    'fit',
    'labelled',
    'prepare',
    'test',
    'train',
  ]);
  assert.is(result!.provenance.backend.name, 'cpu');
  assert.is(result!.dataset.concepts, 1);
  // The toy task counts all positions, ten items' first tokens among them, which the policy leaves out.
  assert.is(result!.rows[0]!.metrics['value']!.n - result!.dataset.testRows, 10);
});

test('the same command again does nothing and says how much was there', async () => {
  const first = await runToy(folder);
  const second = await runToy(folder);
  assert.equal(second.summary.computed, { activations: 0, fit: 0, prepare: 0, evaluate: 0 });
  assert.is(second.summary.present, 3);
  assert.equal(second.summary.results, first.summary.results);
});

test('force computes everything anew, and an interrupted one is gone on with', async () => {
  await runToy(folder);
  const forced = await runToy(folder, {}, undefined, { force: true });
  assert.equal(forced.summary.computed, { activations: 3, fit: 3, prepare: 1, evaluate: 3 });
  assert.is(forced.summary.present, 0);
  const aborted = AbortSignal.abort(new Error('stopped'));
  await runToy(folder, {}, aborted, { force: true }).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /stopped/),
  );
  const { summary } = await runToy(folder);
  assert.ok(summary.computed.evaluate > 0);
});

test('a complete store that nobody can write to serves another folder of results', async () => {
  await runToy(folder);
  for (const part of ['partial', 'locks']) {
    await rm(join(folder, 'store', part), { recursive: true });
    await writeFile(join(folder, 'store', part), '');
  }
  await rm(join(folder, 'out'), { recursive: true });
  const { summary } = await runToy(folder);
  assert.equal(summary.computed, { activations: 0, fit: 0, prepare: 0, evaluate: 0 });
  assert.is(summary.results.length, 3);
});

test('what changed is done, the rest is found', async () => {
  await runToy(folder);
  const { summary, said } = await runToy(folder, { tasks: [{ id: 'toy-task', options: { offset: 1 } }] });
  assert.equal(summary.computed, { activations: 0, fit: 0, prepare: 1, evaluate: 3 });
  assert.is(summary.present, 0);
  assert.equal(said, []);
  const third = await runToy(folder, { seeds: [0, 1, 2] });
  assert.equal(third.summary.computed, { activations: 0, fit: 1, prepare: 0, evaluate: 1 });
  assert.is(third.summary.present, 3);
  assert.match(third.said[0]!, /3 results are there already/);
});

test('other options of a method are another method in the same folder; seeds of one setting share a row', async () => {
  const scaled = (scale: number, seeds: number[]) =>
    runToy(folder, { methods: [{ id: 'toy-mean', options: { scale } }], seeds });
  const { out } = await scaled(1, [0, 1]);
  await scaled(0.5, [1, 2]);
  const results = await Promise.all((await resultFiles(out)).map(readResult));
  const own = results.filter(({ method }) => method.name === 'toy-mean');
  const seedsOf = (scale: number) =>
    own.filter(({ method }) => (method.options as { scale?: number }).scale === scale).map(({ seed }) => seed);
  assert.equal(
    [seedsOf(1), seedsOf(0.5)],
    [
      [0, 1],
      [1, 2],
    ],
  );
  for (const name of ['identity', 'row'] as const) {
    const hashes = own.map(({ method, settings }) => (name === 'row' ? settings.row : method.identity));
    assert.is(new Set(hashes).size, 2, name);
  }
  assert.is(new Set(results.map(({ settings }) => settings.table)).size, 1);
});

test('results that were deleted come back from the store, the same to the byte', async () => {
  const { out } = await runToy(folder);
  const [file] = await resultFiles(out);
  const before = await readFile(file!, 'utf8');
  await rm(file!);
  const { summary } = await runToy(folder);
  assert.equal(summary.computed, { activations: 0, fit: 0, prepare: 0, evaluate: 0 });
  assert.is(await readFile(file!, 'utf8'), before);
});

test('a damaged step is said and computed again, with the same numbers', async () => {
  const { out, plan, store } = await runToy(folder);
  const before = await numbersIn(out);
  for (const { kind, key } of planSteps(plan)) {
    const step = (await store.open(kind, key))!;
    if (kind === 'fit') await writeFile(join(step.folder, 'arrays.safetensors'), 'damaged');
    if (kind === 'evaluate') await rm(step.folder, { recursive: true });
  }
  await rm(out, { recursive: true });
  const { summary, said } = await runToy(folder);
  assert.is(summary.computed.fit, 3);
  assert.ok(said.some((line) => /step fit .* is damaged/.test(line)));
  assert.equal(await numbersIn(out), before);
});

test('a method that crashes loses its own results only', async () => {
  const methods = [
    { id: 'toy-mean', name: 'bad', options: { fail: 'bug' } },
    { id: 'toy-mean', name: 'good' },
  ];
  const { summary } = await runToy(folder, { methods });
  assert.equal(
    summary.results.map(({ method, seed }) => `${method.name} ${seed}`),
    ['good 0', 'good 1', 'toy-null 0'],
  );
  assert.equal(
    summary.failures.map(({ label }) => label.split(' ').slice(2).join(' ')),
    ['bad seed 0', 'bad seed 1'],
  );
  assert.match(String(summary.failures[0]!.error), /a bug in the method/);
  assert.is(exitCodeOf(summary.failures), 1);
  assert.equal(
    summary.failed.map(({ method, seed, rows, failed }) => [method.name, seed, rows, failed]),
    [
      ['bad', 0, [], 'a bug in the method'],
      ['bad', 1, [], 'a bug in the method'],
    ],
  );
  assert.is(summary.failed[0]!.dataset.trainRows, summary.results[0]!.dataset.trainRows);
  // What failed is not taken for done: the same command tries it again, and only it.
  const again = (await runToy(folder, { methods })).summary;
  assert.equal([again.present, again.failures.length, again.failed.length], [3, 2, 2]);
  assert.is(again.computed.evaluate, 0);
});

test('a result takes the place of the failure before it', async () => {
  const methods = [{ id: 'toy-mean', name: 'same' }];
  const tasks = [{ id: 'toy-task', options: { nan: true } }];
  const { out } = await runToy(folder, { methods, tasks, seeds: [0] });
  const file = (await resultFiles(out)).find((path) => path.includes('same'))!;
  assert.match((await readResult(file)).failed!, /found NaN/);
  const { summary } = await runToy(folder, { methods, seeds: [0] });
  assert.equal(summary.failed, []);
  assert.is((await readResult(file)).failed, undefined);
});

test('a task that gives NaN is refused, and nothing of it is written but why', async () => {
  const { summary, out } = await runToy(folder, { tasks: [{ id: 'toy-task', options: { nan: true } }], seeds: [0] });
  assert.is(summary.failures.length, 2);
  assert.match(String(summary.failures[0]!.error), /metric 'value': expected a finite number; found NaN/);
  for (const file of await resultFiles(out)) {
    const { rows, failed } = await readResult(file);
    assert.equal(rows, []);
    assert.match(failed!, /found NaN/);
  }
});

test('a dataset without concepts', async () => {
  const { subjects } = (await import('./testing/toy.ts')).toySuite(folder);
  const without = subjects.map((subject) => ({
    ...subject,
    dataset: { id: 'toy-words', options: { concepts: false } },
  }));
  const { summary } = await runToy(folder, { subjects: without });
  assert.is(summary.computed.activations, 2);
  assert.is(summary.results[0]!.dataset.concepts, undefined);
});

test('an unknown site is refused before anything is computed', async () => {
  const { subjects } = (await import('./testing/toy.ts')).toySuite(folder);
  const wrong = subjects.map((subject) => ({ ...subject, sites: ['blocks.0.hook_resid_pots'] }));
  try {
    await runToy(folder, { subjects: wrong });
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).name, 'UserError');
    assert.match((error as Error).message, /unknown site of toy-model .*Did you mean: blocks\.0\.hook_resid_post\?/);
  }
  assert.not.ok(existsSync(join(folder, 'store', 'steps')));
});

test('d_sae smaller than k is refused before anything is computed', async () => {
  try {
    await runToy(folder, { methods: [{ id: 'topk', options: { d_sae: 4, k: 8 } }] });
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).name, 'UserError');
    assert.match((error as Error).message, /topk.*k/);
  }
  assert.not.ok(existsSync(join(folder, 'store', 'steps')));
});

test('an SAE trains through the plan, with its curve in the result', async () => {
  const methods = [{ id: 'topk', options: { d_sae: 8, k: 2 }, training: { tokens: 640, batchSize: 32 } }];
  const { summary, store, plan } = await runToy(folder, { methods, seeds: [0], tasks: [{ id: 'toy-task' }] });
  // toy-task reads labels that SAEs do not have: the SAE's own evaluation fails, its fit stands.
  assert.is(summary.computed.fit, 2);
  const fit = planSteps(plan).find(({ kind }) => kind === 'fit')!;
  const training = (await store.open('fit', fit.key))!.meta['training'] as {
    curve: Record<string, number[]>;
    tokens: number;
    inference: string;
    scale: number;
  };
  assert.match(training.inference, /k largest/);
  assert.ok(training.scale > 0);
  assert.is(training.tokens, 640);
  assert.is(training.curve['step']!.at(-1), 20);
  assert.ok(existsSync(join((await store.open('fit', fit.key))!.folder, 'saelens', 'sae_weights.safetensors')));
});

test('aborted: the reason is thrown, and the next run goes on', async () => {
  const controller = new AbortController();
  const watch = setInterval(() => resultOf('quick', 0) && controller.abort(), 5);
  const methods = [
    { id: 'toy-mean', name: 'quick' },
    { id: 'toy-mean', name: 'slow', options: { slowMs: 300, scale: 2 } },
  ];
  try {
    await runToy(folder, { methods, seeds: [0] }, controller.signal);
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).name, 'AbortError');
  } finally {
    clearInterval(watch);
  }
  const { summary } = await runToy(folder, { methods, seeds: [0] });
  assert.is(summary.present, 1);
  assert.is(summary.results.length, 3);
});

test('kill -9 in the middle: the same command goes on, and the numbers are those of an undisturbed run', async () => {
  const script = new URL('./testing/toy-run.ts', import.meta.url).pathname;
  const start = (slowMs: number) =>
    spawn(process.execPath, ['--import', 'tsx', script, folder, String(slowMs)], { stdio: 'pipe' });
  const child = start(600_000);
  for (let waited = 0; !resultOf('toy-1', 1) && waited < 30_000; waited += 20) await sleep(20);
  assert.ok(resultOf('toy-1', 1));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.on('exit', resolve));

  const methods = [1, 2].map((scale) => ({ id: 'toy-mean', name: `toy-${scale}`, options: { scale, slowMs: 0 } }));
  const { summary, out } = await runToy(folder, { methods });
  assert.ok(summary.present >= 2);
  assert.is(summary.results.length, 5);
  const whole = await mkdtemp(join(tmpdir(), 'saxbench-execute-'));
  const undisturbed = await runToy(whole, { methods });
  assert.equal(await numbersIn(out), await numbersIn(undisturbed.out));
  await rm(whole, { recursive: true });
});

test('no tensor is left behind', async () => {
  await runToy(folder);
  const before = tf.memory().numTensors;
  await runToy(folder, { tasks: [{ id: 'toy-task', options: { offset: 2 } }], seeds: [0, 5] });
  assert.is(tf.memory().numTensors, before);
});

test.run();
