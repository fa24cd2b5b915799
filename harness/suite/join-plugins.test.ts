/** @file What plug-ins from outside join a suite by themselves, where, and with what sizes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineBaseline, defineDataset, defineJudge, defineSae, defineTask, type SaeDefinition } from '../contract.ts';
import { EMBEDDED_LM } from '../paths.ts';
import { openRegistry, type Registry } from '../registry.ts';
import type { Suite, SuiteMethod } from '../schema/suite.generated.ts';
import { checkSuite } from './check.ts';
import { idleLines, joinedLines, joinPlugins } from './join-plugins.ts';
import { limitSuite } from './limit.ts';
import { loadSuite } from './load.ts';
import { selectFromSuite } from './select.ts';

const test = suite('plug-ins join a run');

const nothing = () => {
  throw new Error('never called');
};
const option = (value: unknown) => ({ default: value, description: 'Of the test.' });
const sae = (id: string, hyperparameters: SaeDefinition['hyperparameters']) =>
  defineSae({
    ...{ id, title: 'T', version: 1, hyperparameters },
    ...{ init: nothing, encode: nothing, decode: nothing, loss: nothing, directions: nothing },
  });
const baseline = (id: string) =>
  defineBaseline({
    ...{ id, title: 'T', version: 1, options: {}, needs: 'nothing' as const, seeded: false },
    ...{ fit: nothing, restore: nothing },
  });
const metric = { description: 'D', direction: 'max' as const, range: [0, 1] as [number, number], unit: '', main: true };
const task = (id: string, controls?: string[]) =>
  defineTask({
    ...{ id, title: 'T', version: 1, options: {}, axes: {}, seeded: false, metrics: { value: metric } },
    ...{ ...(controls && { controls }), run: nothing },
  });

function registryOf(...definitions: { id: string }[]): Registry {
  const registry = openRegistry();
  for (const definition of definitions) registry.add(definition, `./${definition.id}.ts`);
  return registry;
}

const SITES = ['blocks.1.hook_resid_post', 'blocks.2.hook_resid_post'];
const suiteOf = (methods: SuiteMethod[], more: Partial<Suite> = {}): Suite => ({
  ...{ id: 'own', title: 'Own', tasks: [{ id: 'reconstruction' }], methods },
  subjects: [{ id: 'tiny-lm-planted', sites: SITES, dataset: { id: 'text-world' } }],
  ...more,
});
const entriesOf = (joined: Suite, id: string) => joined.methods.filter((method) => method.id === id);

test('an SAE stands where topk does in the default suite, with its sizes under its own names', async () => {
  const { suite: given } = await loadSuite('default');
  const registry = registryOf(sae('by-k', { k: option(1) }), sae('by-l0', { targetL0: option(1) }), sae('bare', {}));
  const { suite: joined } = await joinPlugins(given, registry);
  const own = entriesOf(joined, 'topk');
  assert.ok(own.length >= 3);
  assert.equal(
    entriesOf(joined, 'by-k').map(({ subjects, sites, options }) => ({ subjects, sites, options })),
    own.map(({ subjects, sites, options }) => ({ subjects, sites, options })),
  );
  for (const [i, { options }] of own.entries()) {
    assert.equal(entriesOf(joined, 'by-l0')[i]!.options, { d_sae: options!['d_sae'], targetL0: options!['k'] });
    assert.equal(entriesOf(joined, 'bare')[i]!.options, { d_sae: options!['d_sae'] });
  }
  const taken = selectFromSuite(joined, ['by-k', `subjects=${EMBEDDED_LM}`]);
  assert.equal([...new Set(taken.methods.map(({ id }) => id))], ['by-k']);
  assert.equal(selectFromSuite(joined, ['methods=bare']).methods.length, own.length);
});

test('without topk the first SAE is taken; its default sparsity counts where it states none', async () => {
  const registry = registryOf(sae('mine', { k: option(1) }));
  const methods = [
    { id: 'pca' },
    { id: 'jumprelu', options: { expansion: 4 } },
    { id: 'relu', options: { d_sae: 99 } },
  ];
  const { suite: joined } = await joinPlugins(suiteOf(methods), registry);
  const k = (await registry.get('sae', 'jumprelu')).hyperparameters['targetL0']!.default;
  assert.equal(entriesOf(joined, 'mine'), [{ id: 'mine', options: { expansion: 4, k } }]);
  await checkSuite(joined, '', registry);
});

test('budget of training and limits are those of the reference; recipes are not', async () => {
  const training = { tokens: 640, batchSize: 64, lr: 0.1 };
  const methods = [{ id: 'topk', options: { k: 4, auxAlpha: 0 }, training }];
  const limits = { methods: { topk: { k: 2, d_sae: 16, auxK: 3 } } };
  const registry = registryOf(sae('mine', { targetL0: option(1) }));
  const { suite: joined } = await joinPlugins(suiteOf(methods, { limits }), registry);
  assert.equal(entriesOf(joined, 'mine'), [
    { id: 'mine', options: { targetL0: 4 }, training: { tokens: 640, batchSize: 64 } },
  ]);
  assert.equal(entriesOf(limitSuite(joined, 8), 'mine')[0]!.options, { targetL0: 2, d_sae: 16 });
});

test('settings of one variant side by side: each has its twin, equal ones one, and names stay different', async () => {
  const methods = [
    { id: 'topk', name: 'topk-k-8', options: { d_sae: 64, k: 8 } },
    { id: 'topk', name: 'wide', options: { d_sae: 128, k: 8 } },
    { id: 'topk', name: 'topk-slow', options: { d_sae: 64, k: 8 }, training: { lr: 1e-5 } },
  ];
  const registry = registryOf(sae('mine', { k: option(1) }));
  const { suite: joined } = await joinPlugins(suiteOf(methods), registry);
  assert.equal(
    entriesOf(joined, 'mine').map(({ name }) => name),
    ['mine-k-8', 'mine-wide'],
  );
  const { suite: one } = await joinPlugins(suiteOf([methods[0]!, methods[2]!]), registry);
  assert.equal(entriesOf(one, 'mine'), [{ id: 'mine', options: { d_sae: 64, k: 8 } }], 'alone: its own name');
});

test('a suite without SAEs: sized by the width of each site', async () => {
  const registry = registryOf(sae('mine', { k: option(1) }), sae('bare', {}));
  const { suite: joined, joined: told } = await joinPlugins(suiteOf([{ id: 'pca' }]), registry);
  assert.equal(entriesOf(joined, 'mine'), [{ id: 'mine', options: { k: 8 } }], 'd_in 64 at both sites');
  assert.equal(entriesOf(joined, 'bare'), [{ id: 'bare' }]);
  assert.match(joinedLines(joined, told)[1]!, /^mine \(SAE of \.\/mine\.ts\) joins the run, sized by d_in: k 8 \(/);
  const wider = { id: 'tiny-lm-planted', sites: [SITES.join('+')], dataset: { id: 'text-world' } };
  const joint = await joinPlugins(suiteOf([], { subjects: [wider] }), registry);
  assert.equal(entriesOf(joint.suite, 'mine'), [{ id: 'mine', options: { k: 16 } }], 'd_in 256 at both together');
  const wide = { id: 'world', sites: ['superposition'], dataset: { id: 'superposition', options: { d: 512 } } };
  const both = suiteOf([], { subjects: [...suiteOf([]).subjects, wide] });
  assert.equal(entriesOf((await joinPlugins(both, registry)).suite, 'mine'), [
    ...SITES.map((site) => ({ id: 'mine', subjects: ['tiny-lm-planted'], sites: [site], options: { k: 8 } })),
    { id: 'mine', subjects: ['world'], sites: ['superposition'], options: { k: 32 } },
  ]);
});

test('what the suite names, scores as a checkpoint or sets beside a task joins nothing more', async () => {
  const registry = registryOf(
    ...[sae('mine', {}), baseline('null-row'), baseline('extra'), task('scored', ['null-row']), task('known')],
  );
  const given = suiteOf([{ id: 'mine', name: 'renamed', options: { d_sae: 5 } }], { tasks: [{ id: 'known' }] });
  const { suite: joined, joined: told } = await joinPlugins(given, registry);
  assert.equal(joined.methods, [...given.methods, { id: 'extra' }]);
  assert.equal(joined.tasks, [{ id: 'known' }, { id: 'scored' }]);
  assert.equal(
    told.map(({ id }) => id),
    ['extra', 'scored'],
  );
  const folder = mkdtempSync(join(tmpdir(), 'saxbench-join-'));
  const shape = { d_in: 4, d_sae: 8, d_out: 4 };
  const own = { format: 'saxbench-sae-1', variant: 'mine', version: 1, shape, hp: {}, tensors: {} };
  writeFileSync(
    join(folder, 'sae.json'),
    JSON.stringify({ ...own, hook_name: SITES[0], model_name: 'tiny-lm-planted' }),
  );
  const checkpoint = suiteOf([{ id: 'checkpoint', path: folder }, { id: 'topk' }]);
  assert.equal(entriesOf((await joinPlugins(checkpoint, registry)).suite, 'mine'), [], 'it is there to read it');
  const weights = join(folder, 'sae.safetensors');
  writeFileSync(weights, '');
  const byFile = suiteOf([{ id: 'checkpoint', name: 'other', path: weights }, { id: 'topk' }]);
  assert.equal(entriesOf((await joinPlugins(byFile, registry)).suite, 'mine'), [], 'named by its file of weights too');
  const named = suiteOf([{ id: 'checkpoint', name: 'mine', path: '/nowhere' }]);
  assert.equal(entriesOf((await joinPlugins(named, registry)).suite, 'mine'), [], 'its name is taken');
  rmSync(folder, { recursive: true });
});

test('nothing from outside: the suite as it is', async () => {
  const given = suiteOf([{ id: 'topk' }]);
  const { suite: same, joined } = await joinPlugins(given, openRegistry());
  assert.is(same, given);
  assert.equal(joined, []);
});

test('lines tell of what is left after filters, and of what joins no run by itself', async () => {
  const open = nothing;
  const registry = registryOf(
    ...[sae('mine', { k: option(1) }), baseline('plain'), task('scored')],
    defineDataset({ id: 'notes', title: 'T', version: 1, modality: 'text', options: {}, open }),
    defineJudge({ id: 'strict', title: 'T', version: 1, options: {}, open }),
  );
  const { suite: given } = await loadSuite('default');
  const { suite: whole, joined } = await joinPlugins(given, registry);
  const lines = joinedLines(selectFromSuite(whole, ['mine', 'scored', `subjects=${EMBEDDED_LM}`]), joined);
  const k = entriesOf(given, 'topk')[0]!.options;
  assert.equal(lines, [
    `mine (SAE of ./mine.ts) joins the run, sized as topk: d_sae ${k!['d_sae']}, k ${k!['k']} on ${EMBEDDED_LM} (--option mine.NAME=VALUE sets others).`,
    'scored (task of ./scored.ts) joins the run with its own defaults.',
  ]);
  assert.equal(joinedLines(whole, joined, true)[0], 'mine (SAE of ./mine.ts) joins the run.');
  assert.equal(await idleLines(whole, registry), [
    "notes (dataset of ./notes.ts) joins no run by itself: name it, --dataset notes, or as a subject's dataset in a suite.",
    'strict (judge of ./strict.ts) joins no run by itself: name it in a suite, as the option "judge": "strict" of a task.',
  ]);
  const judged = { ...suiteOf([]), tasks: [{ id: 'steering', options: { judge: 'strict' } }] };
  const used = { ...judged, subjects: [{ ...judged.subjects[0]!, dataset: { id: 'notes' } }] };
  assert.equal(await idleLines(used, registry), []);
});

test.run();
