/** @file A plug-in's SAE without a SAELens form: `train` writes it in our own layout, `--checkpoint` scores it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openSafetensors } from '../io/safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../io/safetensors-write.ts';
import { loadPlugin } from '../plugins.ts';
import { openRegistry } from '../registry.ts';
import { readResult, resultFiles } from '../results.ts';
import { resolveCheckpoint } from '../suite/checkpoint.ts';
import { checkVariant } from '../suite/own-checkpoint.ts';
import { runCommand as run } from '../testing/command-line.ts';
import { rejection } from '../testing/failing.ts';
import { readOwnSae, readOwnState } from '../train/own-layout.ts';

const test = suite('own layout');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-own-layout-'));
test.after(() => rmSync(folder, { recursive: true }));

const PLUGIN = `
import { defineSae, tf } from 'saxbench';
import { ACTIVATION } from './activation.ts';
const rectified = (x, W) => tf[ACTIVATION](tf.matMul(x, W));
export default defineSae({
  id: 'tied', title: 'Tied weights', version: 1,
  hyperparameters: { gain: { type: 'number', default: 1, description: 'Factor on the decoder.' } },
  init: (shape, _hp, { rng }) => ({
    params: { W: tf.mul(tf.tensor2d(rng.fillNormal(new Float32Array(shape.d_in * shape.d_sae)), [shape.d_in, shape.d_sae]), 0.1) },
  }),
  encode: (params, x) => ({ kind: 'dense', values: rectified(x, params.W) }),
  decode: (params, codes, hp) => tf.mul(tf.matMul(codes.values, params.W, false, true), hp.gain),
  loss(params, batch, _state, hp) {
    const codes = { kind: 'dense', values: rectified(batch.x, params.W) };
    const reconstruction = tf.mul(tf.matMul(codes.values, params.W, false, true), hp.gain);
    return { total: tf.mean(tf.square(tf.sub(batch.target, reconstruction))), parts: {}, codes, reconstruction };
  },
  foldScale: (params) => params,
  directions: (params) => tf.transpose(params.W),
});`;
const HELPER = `export const ACTIVATION: string = 'relu';`;

const plugin = join(folder, 'tied.ts');
writeFileSync(plugin, PLUGIN);
writeFileSync(join(folder, 'activation.ts'), HELPER);

const SITE = 'blocks.1.hook_resid_post';
const trained = join(folder, 'mine');
const out = join(folder, 'out');
const places = ['--store', join(folder, 'store'), '--backend', 'wasm', '--no-progress'];

const suiteFile = (methods: object[]): string => {
  const file = join(folder, 'small.json');
  // The suite's dataset has options of its own, which change no training document.
  const dataset = { id: 'text-world', options: { train: 8, eval: 8 } };
  const sizes = { activations: { train: 12, test: 4 }, concepts: { concepts: 2, perClass: 4 } };
  const subject = { id: 'tiny-lm-planted', sites: [SITE], dataset, ...sizes };
  const tasks = [{ id: 'reconstruction', options: { documents: 4 } }];
  writeFileSync(file, JSON.stringify({ id: 'small', title: 'Small', subjects: [subject], methods, tasks }));
  return file;
};

const score = (...more: string[]) =>
  run('run', suiteFile([{ id: 'neurons' }]), ...places, '--out', out, '--checkpoint', trained, ...more);

test.before(async () => {
  const options = ['d_sae=32', 'gain=2', 'tokens=512', 'batchSize=64'].flatMap((option) => ['--option', option]);
  const subject = ['--subject', 'tiny-lm-planted', '--site', SITE, '--dataset', 'text-world', '--items', '12'];
  const { said } = await run(
    'train',
    '--sae',
    'tied',
    '--plugin',
    plugin,
    ...subject,
    ...options,
    ...places,
    '--out',
    trained,
  );
  assert.match(said, /'tied' has no toSaeLens: wrote saxbench's own layout/);
});

test('it is scored as the variant that it was trained as', async () => {
  const { code, said } = await score('--plugin', plugin);
  assert.is(code, 0, said);
  const training = { tokens: 512, batchSize: 64 };
  const own = suiteFile([{ id: 'tied', options: { d_sae: 32, gain: 2 }, training }]);
  assert.is((await run('run', own, ...places, '--out', join(folder, 'own'), '--plugin', plugin)).code, 0);
  const numbersOf = async (from: string, name: string) => {
    const results = await Promise.all((await resultFiles(from)).map((file) => readResult(file)));
    const { method, rows } = results.find((result) => result.method.name === name)!;
    const { explained_variance, l0 } = rows[0]!.metrics;
    return { method, numbers: [explained_variance!.value, l0!.value] };
  };
  const checkpoint = await numbersOf(out, 'mine');
  assert.equal(checkpoint.numbers, (await numbersOf(join(folder, 'own'), 'tied')).numbers);
  assert.equal([checkpoint.method.id, checkpoint.method.kind, checkpoint.method.d_sae], ['checkpoint', 'sae', 32]);
  const file = join(folder, 'by-file');
  const named = ['--checkpoint', `mine=${join(trained, 'sae.safetensors')}`, '--plugin', plugin];
  assert.is((await run('run', suiteFile([{ id: 'neurons' }]), ...places, '--out', file, ...named)).code, 0);
  assert.equal((await numbersOf(file, 'mine')).numbers, checkpoint.numbers, 'its file of weights, named');
  const { out: printed } = await run('validate', trained, '--plugin', plugin);
  assert.match(printed, new RegExp(`an SAE: tied, d_in 128, d_sae 32, site ${SITE}`));
});

test('without its very plug-in it is refused', async () => {
  const absent = await rejection(score());
  assert.is(absent.name, 'UserError', absent.stack);
  assert.match(
    absent.message,
    /method mine: expected the SAE plug-in 'tied' that it was trained with: give it, --plugin tied\.ts/,
  );
  const registry = openRegistry();
  await loadPlugin(plugin, registry);
  const mistake = async (): Promise<string> => {
    const error = await rejection(checkVariant(await readOwnSae(trained), registry, 'method mine'));
    assert.is(error.name, 'UserError', error.stack);
    assert.not.match(error.message, /\n/);
    return error.message;
  };
  writeFileSync(plugin, PLUGIN.replace('codes.values, params.W', 'tf.add(codes.values, 1), params.W'));
  assert.match(
    await mistake(),
    /expected the plug-in 'tied' as it was .* found it changed \([0-9a-f]{12}\): train it again/,
  );
  writeFileSync(plugin, `// A comment changes nothing.\n${PLUGIN}`);
  await checkVariant(await readOwnSae(trained), registry, 'method mine');
  writeFileSync(join(folder, 'activation.ts'), HELPER.replace('relu', 'abs'));
  assert.match(await mistake(), /found it changed/);
  writeFileSync(join(folder, 'activation.ts'), HELPER);
  const config = join(trained, 'sae.json');
  const written = readFileSync(config, 'utf8');
  const edited = async (change: object, read: () => Promise<string> = mistake) => {
    writeFileSync(config, JSON.stringify({ ...JSON.parse(written), ...change }));
    const message = await read();
    writeFileSync(config, written);
    return message;
  };
  assert.match(await edited({ version: 2 }), /expected version 2 of the plug-in 'tied'.*found 1/);
  assert.match(await edited({ hp: { gain: 'loud' } }), /hyper-parameters: .*gain/);
  const reading = async () => (await rejection(readOwnState(trained))).message;
  assert.match(await edited({ format: 'x' }, reading), /sae\.json: format: expected saxbench-sae-1, found "x"/);
  assert.match(await edited({ tensors: { W: [2, 2] } }, reading), /tensor 'W': expected shape \[2, 2\]/);
  assert.match(await edited({ tensors: {} }, reading), /tensor 'W': expected only those that sae\.json names/);
  // Tensors of the same names and shapes mean other numbers.
  const shape = { d_in: 128, d_sae: 16, d_out: 128 };
  for (const change of [{ hp: { gain: 3 } }, { shape }, { variant: 'topk' }, { version: 2 }]) {
    assert.match(
      await edited(change, reading),
      /expected weights of the variant, version, source, shape and hp in sae/,
    );
  }
});

test('its weights are part of its identity', async () => {
  const registry = openRegistry();
  await loadPlugin(plugin, registry);
  const scored = [{ id: 'tiny-lm-planted', sites: [SITE] as [string] }];
  const resolve = () => resolveCheckpoint({ id: 'checkpoint', path: trained }, scored, registry, 'suite small');
  const { options: before, site, variant, subjects } = await resolve();
  assert.equal([site, variant, subjects], [SITE, 'tied', ['tiny-lm-planted']]);
  const weights = join(trained, 'sae.safetensors');
  const { W } = await (await openSafetensors(weights)).readAll();
  const half: TensorToWrite = {
    dtype: 'F32',
    shape: W!.shape,
    data: (W!.data as Float32Array).map((value) => value / 2),
  };
  await writeSafetensors(weights, { W: half });
  assert.not.equal((await resolve()).options['fingerprint'], before['fingerprint']);
});

test('variants of worlds without a subject: train needs none, and --checkpoint scores what it wrote', async () => {
  const cases = [
    { sae: 'vaease', dataset: 'manifolds', options: ['d_sae=12', 'encoder=mlp'], task: 'manifold-dimensions' },
    { sae: 'tensor', dataset: 'pixels', options: ['d_sae=12', 'k=3'], task: 'reconstruction' },
    { sae: 'fno', dataset: 'functions', options: ['d_sae=128', 'k=3'], task: 'resolution' },
  ];
  for (const { sae, dataset, options, task } of cases) {
    const into = join(folder, `of-${dataset}`);
    const given = [...options, 'tokens=640', 'batchSize=64'].flatMap((option) => ['--option', option]);
    const what = ['--sae', sae, '--dataset', dataset, '--site', dataset, '--items', '64'];
    const made = await run('train', ...what, '--out', into, ...given, ...places);
    assert.is(made.code, 0, made.said);
    assert.match(made.said, new RegExp(`'${sae}' has no toSaeLens: .* which saxbench alone reads`));
    const own = await readOwnSae(into);
    assert.is(own.variant, sae);
    assert.is(own.shape.input?.reduce((a, b) => a * b, 1) ?? own.shape.d_in, own.shape.d_in);
    const file = join(folder, `${dataset}.json`);
    const subject = { id: dataset, sites: [dataset], dataset: { id: dataset }, activations: { train: 64, test: 20 } };
    const methods = [{ id: 'checkpoint', path: into }];
    writeFileSync(
      file,
      JSON.stringify({ id: dataset, title: 'T', subjects: [subject], methods, tasks: [{ id: task }] }),
    );
    const scored = await run('run', file, '--out', join(folder, `scores-${dataset}`), ...places);
    assert.is(scored.code, 0, scored.said);
    const [found] = await resultFiles(join(folder, `scores-${dataset}`));
    const { rows } = await readResult(found!);
    assert.ok(rows.some(({ metrics }) => Object.values(metrics).some(({ value }) => value !== null)));
  }
});

test.run();
