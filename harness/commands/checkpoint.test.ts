/** @file `run` with an SAE that `train` wrote: all tasks score it, its files decide its steps, bad ones are refused. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { prepareRun } from '../execute/run.ts';
import { executePlan } from '../execute.ts';
import { openSafetensors } from '../io/safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../io/safetensors-write.ts';
import { packageRoot } from '../paths.ts';
import { openRegistry } from '../registry.ts';
import type { Result } from '../schema/result.generated.ts';
import { openStore } from '../store.ts';
import { checkpointByName, resolveCheckpoint } from '../suite/checkpoint.ts';
import { loadSuite, methodName } from '../suite/load.ts';
import { mistake, runCommand as run } from '../testing/command-line.ts';
import { rejection } from '../testing/failing.ts';

const test = suite('checkpoint');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-checkpoint-'));
test.after(() => rmSync(folder, { recursive: true }));

const SITE = 'blocks.1.hook_resid_post';
const ITEMS = 12;
const trained = join(folder, 'my sae');
const places = ['--store', join(folder, 'store'), '--backend', 'wasm', '--no-progress'];
const options = { d_sae: 32, k: 4 };
const training = { tokens: 512, batchSize: 64 };

function suiteFile(methods: object[], more: object = {}): string {
  const file = join(folder, 'small.json');
  const steering = { concepts: 1, prompts: 2, factors: [1], maxNewTokens: 4, calibration: 8 };
  const subject = {
    id: 'tiny-lm-planted',
    sites: [SITE],
    dataset: { id: 'text-world', options: { train: 8, eval: 8 } },
  };
  const content = {
    id: 'small',
    title: 'Small',
    // All tasks, on the embedded model, which is planted.
    plantedControl: 'recovery',
    subjects: [{ ...subject, activations: { train: ITEMS, test: 4 }, concepts: { concepts: 2, perClass: 4 } }],
    methods,
    tasks: [
      { id: 'reconstruction', options: { documents: 4 } },
      { id: 'concept-detection' },
      { id: 'steering', options: steering },
      { id: 'monosemanticity' },
    ],
    ...more,
  };
  writeFileSync(file, JSON.stringify(content));
  return file;
}

/** A copy of the trained checkpoint with another cfg.json. */
function copyWith(name: string, change: (cfg: Record<string, unknown>) => void): string {
  const copy = join(folder, name);
  cpSync(trained, copy, { recursive: true });
  const cfg = JSON.parse(readFileSync(join(copy, 'cfg.json'), 'utf8')) as Record<string, unknown>;
  change(cfg);
  writeFileSync(join(copy, 'cfg.json'), JSON.stringify(cfg));
  return copy;
}

/** Multiplies tensors of a checkpoint. */
async function rescale(path: string, factors: Record<string, number>): Promise<void> {
  const weights = join(path, 'sae_weights.safetensors');
  const entries = Object.entries(await (await openSafetensors(weights)).readAll());
  const tensors = entries.map(([name, { shape, data }]): [string, TensorToWrite] => {
    const scaled = Float32Array.from(data as Float32Array, (value) => value * (factors[name] ?? 1));
    return [name, { dtype: 'F32', shape, data: scaled }];
  });
  await writeSafetensors(weights, Object.fromEntries(tensors));
}

test.before(async () => {
  const given = Object.entries({ ...options, ...training }).flatMap(([name, value]) => [
    '--option',
    `${name}=${value}`,
  ]);
  const subject = ['--subject', 'tiny-lm-planted', '--site', SITE, '--dataset', 'text-world', '--items', String(ITEMS)];
  // The suite's dataset has options of its own, which change no training document.
  await run('train', '--sae', 'topk', ...subject, ...given, ...places, '--out', trained);
});

/** Every setting of a method that lies in a folder of results. */
const resultsOf = (out: string, method: string, task: string): Result[] => {
  const site = join(out, 'results/tiny-lm-planted', SITE);
  const own = readdirSync(site).filter((name) => name.replace(/-[0-9a-f]{8}$/, '') === method);
  return own.map((name) => JSON.parse(readFileSync(join(site, name, task, 'seed-0.json'), 'utf8')) as Result);
};
const resultOf = (out: string, method: string, task: string): Result => resultsOf(out, method, task)[0]!;

test('all four tasks score it, as they score the variant that it is a checkpoint of', async () => {
  const out = join(folder, 'out');
  const file = suiteFile([{ id: 'topk', options, training }]);
  const { code, said } = await run('run', file, ...places, '--checkpoint', trained, '--out', out);
  assert.is(code, 0, said);
  for (const task of ['reconstruction', 'concept-detection', 'steering', 'monosemanticity']) {
    const { method, rows, training: none, task: declared } = resultOf(out, 'my-sae', task);
    assert.equal([method.id, method.kind, method.name, method.d_sae], ['checkpoint', 'sae', 'my-sae', 32]);
    assert.is(none, undefined);
    // Four documents carry no latent of ten effective items, which the main number of monosemanticity needs.
    const told = (name: string) =>
      task === 'monosemanticity' ? name === 'ms_mean' : declared.metrics[name]!.main === true;
    assert.ok(
      rows.some(({ metrics }) => Object.entries(metrics).some(([name, metric]) => told(name) && metric.value !== null)),
      task,
    );
  }
  const [own, other] = ['my-sae', 'topk'].map((method) => resultOf(out, method, 'reconstruction').rows[0]!.metrics);
  for (const name of ['explained_variance', 'l0', 'cosine']) {
    assert.ok(
      Math.abs(own![name]!.value! - other![name]!.value!) < 1e-4,
      `${name}: ${own![name]!.value} ${other![name]!.value}`,
    );
  }
});

test('other weights under the same name are another step; the same weights elsewhere are not', async () => {
  const out = ['--out', join(folder, 'again'), '--only', 'tasks=reconstruction'];
  const moved = join(folder, 'moved', 'my sae');
  cpSync(trained, moved, { recursive: true });
  const method = (path: string) => suiteFile([{ id: 'checkpoint', path }]);
  await run('run', method('my sae'), ...places, ...out);
  const again = await run('run', method('moved/my sae'), ...places, ...out, '--json');
  assert.is(JSON.parse(again.out).present, 1);
  await rescale(moved, { W_enc: 0.5 });
  const changed = await run('run', method('moved/my sae'), ...places, ...out, '--json');
  assert.equal(JSON.parse(changed.out).computed, { activations: 0, fit: 1, prepare: 0, evaluate: 1 });
  // Trained again at the same path it is another method: both stay, in rows of their own.
  const both = resultsOf(join(folder, 'again'), 'my-sae', 'reconstruction');
  assert.is(new Set(both.map(({ method: { identity } }) => identity)).size, 2);
  const table = readFileSync(join(folder, 'again', 'LEADERBOARD.md'), 'utf8');
  for (const { method: each } of both) {
    const fingerprint = String((each.options as Record<string, unknown>)['fingerprint']).slice(0, 24);
    assert.match(table, new RegExp(`my-sae fingerprint=${fingerprint}`));
  }
});

test('an input scale that is not folded is estimated from the activations', async () => {
  const { scale } = JSON.parse(readFileSync(join(trained, 'training.json'), 'utf8')) as { scale: number };
  const unfolded = copyWith('unfolded', (cfg) =>
    Object.assign(cfg, { normalize_activations: 'expected_average_only_in' }),
  );
  await rescale(unfolded, { W_enc: 1 / scale, W_dec: scale, b_dec: scale });
  const out = join(folder, 'out');
  const only = ['--only', 'tasks=reconstruction'];
  await run('run', suiteFile([{ id: 'checkpoint', path: 'unfolded' }]), ...places, '--out', out, ...only);
  const [own, other] = ['my-sae', 'unfolded'].map((method) => resultOf(out, method, 'reconstruction').rows[0]!.metrics);
  const difference = own!['explained_variance']!.value! - other!['explained_variance']!.value!;
  assert.ok(Math.abs(scale - 1) > 0.1 && Math.abs(difference) < 1e-4, `scale ${scale}, difference ${difference}`);
});

test('rows that are scaled by themselves: reconstructed with their own scale, not steered, and the reason is given', async () => {
  copyWith('normed', (cfg) => Object.assign(cfg, { normalize_activations: 'layer_norm' }));
  const into = join(folder, 'normed-out');
  const given = ['--out', into, '--only', 'tasks=reconstruction,steering'];
  const { out: told } = await run('run', suiteFile([{ id: 'checkpoint', path: 'normed' }]), ...places, ...given);
  // It was trained on rows as they are.
  assert.match(told, /normed: explained variance -[\d.]+ on the rows of this site, below that of their mean: probably/);
  assert.type(resultOf(into, 'normed', 'reconstruction').rows[0]!.metrics['explained_variance']!.value, 'number');
  const reasons = resultOf(into, 'normed', 'steering').rows.flatMap(({ metrics }) =>
    Object.values(metrics).map(({ reason }) => reason),
  );
  assert.match(JSON.stringify(reasons), /scales each row by itself/);
});

test('what cannot be scored is refused before anything is computed', async () => {
  const attempt = (given: string, ...more: string[]) =>
    mistake(
      'run',
      suiteFile([{ id: 'neurons' }]),
      ...places,
      '--out',
      join(folder, 'none'),
      '--checkpoint',
      given,
      ...more,
    );
  assert.match(await attempt(join(folder, 'nothing')), /nothing does not exist/);
  const bare = copyWith('bare', (cfg) => Reflect.deleteProperty(cfg, 'metadata'));
  assert.match(await attempt(bare), /method bare: expected .* to name its site .*name it/);
  const other = copyWith('other', (cfg) => Object.assign(cfg, { architecture: 'temporal' }));
  assert.match(await attempt(other), /architecture: temporal is not served/);
  const elsewhere = /site: expected 'blocks\.1.*' which .*found 'blocks\.2.*: --checkpoint-site blocks\.2/;
  assert.match(
    await attempt(`${trained}@blocks.2.hook_resid_post`),
    new RegExp(elsewhere.source.replace("' which", "', which")),
  );
  const gpt = copyWith('gpt', (cfg) => Object.assign(cfg, { metadata: { hook_name: SITE, model_name: 'gpt2-small' } }));
  assert.match(
    await attempt(gpt),
    /model: expected 'gpt2-small', which .*; found tiny-lm-planted: --checkpoint-site blocks\.1/,
  );
  assert.match(
    await attempt(gpt, '--checkpoint-site', 'blocks.2.hook_resid_post'),
    /belongs to the site blocks\.2.*studies blocks\.1/,
  );
  assert.match(
    await mistake('run', suiteFile([{ id: 'neurons' }]), ...places, '--checkpoint-site', SITE),
    /--checkpoint-site: expected a --checkpoint too/,
  );
  const embedded = ['--subject', 'tiny-lm-planted'];
  assert.match(await attempt(`${trained}@other:${SITE}`, ...embedded), /gets no row: its subject, or --only/);
  assert.match(
    await attempt(`${trained}@tiny-lm-plantde:${SITE}`),
    /unknown subject .*'tiny-lm-plantde'\. Did you mean: tiny-lm-planted/,
  );
  const narrow = copyWith('narrow', (cfg) => Object.assign(cfg, { d_in: 64 }));
  assert.match(await attempt(narrow), /expected shape \[64, 32\], found \[128, 32\]/);
  const alone = copyWith('alone', () => {});
  rmSync(join(alone, 'sae_weights.safetensors'));
  assert.match(await attempt(alone), /expected sae_weights\.safetensors beside cfg\.json; found none/);
  assert.match(await attempt(trained, '--checkpoint', trained), /the name 'my-sae' occurs twice/);
  const suiteOf = (entry: object) => mistake('run', suiteFile([entry]), ...places, '--out', join(folder, 'none'));
  assert.match(await suiteOf({ id: 'checkpoint' }), /expected 'path', the folder of the checkpoint; found none/);
  assert.match(
    await suiteOf({ id: 'checkpoint', path: 'my sae', options: { k: 2 } }),
    /has 'options', which a checkpoint/,
  );
  assert.match(await suiteOf({ id: 'neurons', path: 'my sae' }), /has 'path', which only the method 'checkpoint' has/);
});

test('a checkpoint of a model of the same name with other files is refused, unless any model will do', async () => {
  const cfg = JSON.parse(readFileSync(join(trained, 'cfg.json'), 'utf8')) as { metadata: Record<string, string> };
  assert.match(cfg.metadata['saxbench_model']!, /^[0-9a-f]{64}$/);
  const other = copyWith('retrained', ({ metadata }) =>
    Object.assign(metadata as object, { saxbench_model: 'f'.repeat(64) }),
  );
  const command = ['run', suiteFile([{ id: 'neurons' }]), ...places, '--dry-run', '--checkpoint', other];
  assert.match(
    await mistake(...command),
    /method retrained: model: .* was trained on another 'tiny-lm-planted': expected .* fingerprint ffffffff, found [0-9a-f]{8}: --checkpoint-site/,
  );
  assert.is((await run(...command, '--checkpoint-site', SITE)).code, 0);
});

test('a checkpoint of a trained model is none of its control with random weights, wherever that lies', async () => {
  const tinyLm = join(packageRoot, 'models/pretrained/tiny-lm-planted');
  const unsaid = copyWith('unsaid', ({ metadata }) => delete (metadata as Record<string, unknown>)['saxbench_model']);
  const subjects = (['trained', 'control', 'tiny-lm-planted'] as const).map((id, i) => ({
    ...{ id, path: tinyLm, sites: [SITE], ...(i > 0 && { randomInit: 'all' as const }) },
  }));
  const resolve = (path: string, ...own: typeof subjects) =>
    resolveCheckpoint({ id: 'checkpoint', path }, own, openRegistry(), 'suite s');
  assert.equal((await resolve(unsaid, ...subjects)).subjects, ['trained']);
  assert.match(
    (await rejection(resolve(unsaid, ...subjects.slice(1)))).message,
    /model: expected 'tiny-lm-planted', which .* was trained on; found control, tiny-lm-planted/,
  );
  // Its fingerprint says which weights it is of: they are compared when those of the subject are known.
  assert.equal((await resolve(trained, ...subjects.slice(1))).subjects, ['tiny-lm-planted']);
});

test('--checkpoint-site scores what names another model or site', async () => {
  const gpt = copyWith('gpt-2', (cfg) =>
    Object.assign(cfg, { metadata: { hook_name: 'blocks.7.hook_resid_post', model_name: 'gpt2' } }),
  );
  const out = join(folder, 'origin');
  const file = suiteFile([{ id: 'neurons' }]);
  const given = ['--checkpoint', gpt, '--checkpoint-site', SITE, '--only', 'tasks=reconstruction'];
  const { code, said } = await run('run', file, ...places, '--out', out, ...given);
  assert.is(code, 0, said);
  assert.is(resultOf(out, 'gpt-2', 'reconstruction').method.id, 'checkpoint');
});

test('a width other than the site’s, and NaN weights', async () => {
  const folders = { wide: 4, nan: 128 };
  const errors: string[] = [];
  for (const [name, d_in] of Object.entries(folders)) {
    const path = join(folder, name);
    mkdirSync(path);
    const cfg = { architecture: 'standard', d_in, d_sae: 2, metadata: { hook_name: SITE } };
    writeFileSync(join(path, 'cfg.json'), JSON.stringify(cfg));
    const tensor = (...shape: number[]): TensorToWrite => {
      const data = new Float32Array(shape.reduce((size, length) => size * length, 1));
      return { dtype: 'F32', shape, data };
    };
    const tensors = { W_enc: tensor(d_in, 2), W_dec: tensor(2, d_in), b_enc: tensor(2), b_dec: tensor(d_in) };
    if (name === 'nan')
      tensors.b_dec = { dtype: 'F32', shape: [d_in], data: new Float32Array(d_in).fill(Number.NaN, 3, 4) };
    await writeSafetensors(join(path, 'sae_weights.safetensors'), tensors);
    errors.push(
      await mistake('run', suiteFile([{ id: 'checkpoint', path: name }]), ...places, '--out', join(folder, 'none')),
    );
  }
  assert.match(errors[0]!, /method wide: .*d_in: expected 128, the width of blocks\.1\.hook_resid_post; found 4/);
  assert.match(errors[1]!, /tensor 'b_dec': expected finite values, found 1 of 128 NaN or infinite.* index 3/);
});

test('validate checks the site too', async () => {
  const file = suiteFile([{ id: 'checkpoint', path: 'my sae', site: 'blocks.0.hook_resid_post', anyOrigin: true }]);
  assert.match(await mistake('validate', file), /unknown site of the method my-sae in suite small 'blocks\.0/);
  assert.match((await run('validate', trained)).out, new RegExp(`an SAE: topk, d_in 128, d_sae 32, site ${SITE}`));
});

test('how a command line names a checkpoint', () => {
  const parts = (text: string) => {
    const { path, name, site, subjects } = checkpointByName(text);
    return [path, name, site, subjects?.join()];
  };
  assert.equal(parts('/a/b'), ['/a/b', undefined, undefined, undefined]);
  assert.equal(parts('/a/b@vision.embed'), ['/a/b', undefined, 'vision.embed', undefined]);
  assert.equal(parts('x=/a/b@clip:vision.embed'), ['/a/b', 'x', 'vision.embed', 'clip']);
  assert.equal(parts('/models@v2/b'), ['/models@v2/b', undefined, undefined, undefined]);
  const hub = 'hub:org/saes/layer_12';
  assert.equal(parts(hub), [hub, undefined, undefined, undefined]);
  for (const revision of ['main', 'v2.1', 'refs/pr/3', 'text-embed']) {
    assert.equal(parts(`x=${hub}@${revision}`), [`${hub}@${revision}`, 'x', undefined, undefined]);
    assert.equal(parts(`${hub}@${revision}@lm:${SITE}`), [`${hub}@${revision}`, undefined, SITE, 'lm']);
  }
  for (const site of [SITE, 'hook_embed', 'vision.embed', 'embed'])
    assert.equal(parts(`${hub}@${site}`), [hub, undefined, site, undefined]);
  assert.equal(parts(`x=${hub}@lm:rows`), [hub, 'x', 'rows', 'lm']);
  const named = (path: string) => methodName({ id: 'checkpoint', path });
  assert.equal(['/a/my sae', '/a/layer_12__16k (1)/', '/'].map(named), ['my-sae', 'layer_12_16k-1', 'checkpoint']);
});

test('files that changed after the run was planned are not scored under the keys of those', async () => {
  const path = copyWith('changing', () => {});
  const { suite: small } = await loadSuite(suiteFile([{ id: 'checkpoint', name: 'changing', path }]));
  const registry = openRegistry();
  const given = { backend: 'wasm', limited: false, passed: [], settings: {}, say: () => {} };
  const { plan, places, provenance } = await prepareRun(small, registry, given);
  await rescale(path, { W_dec: 0.5 });
  const store = openStore(join(folder, 'store'), () => {});
  const { signal } = new AbortController();
  const run = { registry, store, places, provenance, signal, say: () => {}, out: join(folder, 'changed') };
  const { results, failures } = await executePlan(plan, run, { showProgress: false });
  assert.is(results.filter(({ method }) => method.name === 'changing').length, 0);
  assert.match((failures[0]!.error as Error).message, /method changing: expected the files of .* as they were/);
  // Put back, they are not scored with what was fitted to the others.
  const { key } = plan.sites[0]!.fits.find(({ method }) => method.name === 'changing')!;
  assert.not.ok(await store.has('fit', key));
});

test.run();
