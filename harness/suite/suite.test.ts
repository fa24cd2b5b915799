/** @file Suites narrowed, limited and overridden; names and references checked. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EMBEDDED_LM, packageRoot } from '../paths.ts';
import { openRegistry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { refusal } from '../testing/failing.ts';
import { checkSuite } from './check.ts';
import { exchangeDataset } from './exchange-dataset.ts';
import { fullSuite, scoredToo } from './full.ts';
import { limitSuite } from './limit.ts';
import { checkNames, loadSuite, subjectName, suiteIds } from './load.ts';
import { absolutePaths, overrideSuite } from './override.ts';
import { resolveTask } from './resolve.ts';
import { selectFromSuite } from './select.ts';
import { setOptions } from './set-options.ts';
import { subjectByName, subjectFolder } from './subjects.ts';
import { sizedBy, sizeLines, sparsityFor } from './widths.ts';

const test = suite('suite');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-suite-'));
test.after(() => rmSync(folder, { recursive: true }));
for (const [name, config] of Object.entries({ 'a-lm': {}, 'b-lm': {}, 'a-clip': { vision_config: {} } })) {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'config.json'), JSON.stringify({ model_type: 'x', ...config }));
}

const given = (): Suite => ({
  id: 's',
  title: 'S',
  subjects: [
    { id: 'lm', path: 'a-lm', sites: ['one', 'two'], dataset: { id: 'words' }, activations: { train: 100, test: 20 } },
    { id: 'clip', path: 'a-clip', sites: ['embed'], dataset: { id: 'scenes' }, training: { tokens: 1000 } },
  ],
  methods: [
    { id: 'topk', name: 'topk-8', options: { k: 8 }, training: { lr: 1, tokens: 1e6 } },
    { id: 'topk', name: 'topk-16' },
    { id: 'pca', subjects: ['lm'] },
  ],
  tasks: [{ id: 'steering', options: { factors: 9 }, subjects: ['lm'] }, { id: 'detection' }],
  seeds: [1, 2, 3],
  limits: { seeds: 2, concepts: 4, tokens: 500, tasks: { steering: { factors: 2 } }, methods: { pca: { n: 3 } } },
});

const names = ({ methods }: Suite) => methods.map(({ id, name }) => name ?? id).join();

test('the judge of a task is resolved with its options; an unknown one, or unknown options, are told', async () => {
  const resolved = (options: Record<string, unknown>) =>
    resolveTask({ id: 'steering', options }, openRegistry(), 'suite s');
  assert.equal((await resolved({})).judge, { id: 'dataset', version: 2, options: {} });
  assert.is((await resolved({ judge: 'bag-of-words' })).judge!.id, 'bag-of-words');
  assert.match(await refusal(() => resolved({ judge: 'datset' })), /unknown judge 'datset'\. Did you mean: dataset/);
  assert.match(
    await refusal(() => resolved({ judgeOptions: { model: 'x' } })),
    /suite s: task steering: judge dataset: .*unknown key 'model'/,
  );
  assert.is((await resolveTask({ id: 'reconstruction' }, openRegistry(), 'suite s')).judge, undefined);
});

test('a task from outside that shows what results have no form for is told before anything is computed', async () => {
  const shown = (shows: object) => refusal(() => outside(shows));
  assert.match(
    await shown({ column: ['value'] }),
    /^suite s: task mine: 'shows': .* unknown key 'column'\. Did you mean: columns\?/,
  );
  const front = { x: { metric: 'value' }, y: 'value', title: 'T' };
  assert.match(await shown({ fronts: [front] }), /'shows': fronts\[0\] lacks the key 'caption'/);
  assert.match(await shown({ ranked: { at: 'here' } }), /'shows': ranked\.at: expected array; found "here"/);
  assert.match(
    await shown({ bands: { metric: 'value', ratio: 1, dense: 1 } }),
    /bands\.ratio: expected a value that must be > 1; found 1/,
  );
  assert.match(await shown({ scaling: null }), /scaling: expected object; found null/);
  assert.is((await outside({ columns: ['value'], fronts: [{ ...front, caption: 'C' }] })).id, 'mine');
});

/** A task of a plug-in, resolved. */
function outside(shows: object) {
  const registry = openRegistry();
  const task = {
    ...{ kind: 'task', id: 'mine', title: 'T', version: 1, axes: { at: 'Where.' }, run() {}, options: {} },
    metrics: { value: { description: 'V.', direction: 'max', range: [0, 1], unit: '', main: true } },
    shows,
  };
  registry.add(task, 'mine.ts');
  return resolveTask({ id: 'mine' }, registry, 'suite s');
}

test('a task from outside whose front is along a metric that another task has not is told', async () => {
  const resolved = (x: object) => outside({ fronts: [{ x, y: 'value', title: 'T', caption: 'C' }] });
  assert.match(
    await refusal(() => resolved({ metric: 'L0', task: 'reconstruction' })),
    /^suite s: task mine: 'shows\.fronts': expected a metric of the task reconstruction \(.*\bl0\b.*\); found 'L0'\.$/,
  );
  assert.is((await resolved({ metric: 'l0', task: 'reconstruction' })).id, 'mine');
  assert.is((await resolved({ metric: 'l0', task: 'of-another-plug-in' })).id, 'mine');
});

test('--only by name, by id, by axis; filters of one axis add up', () => {
  assert.is(names(selectFromSuite(given(), [])), 'topk-8,topk-16,pca');
  assert.is(names(selectFromSuite(given(), ['topk'])), 'topk-8,topk-16');
  assert.is(names(selectFromSuite(given(), ['methods=topk-8', 'pca'])), 'topk-8,pca');
  assert.equal(selectFromSuite(given(), ['tasks=detection', 'seed=2,3']).seeds, [2, 3]);
  const one = selectFromSuite(given(), ['sites=two', 'detection']);
  assert.equal(
    one.subjects.map(({ id, sites }) => [id, sites]),
    [['lm', ['two']]],
  );
  assert.equal(
    one.tasks.map(({ id }) => id),
    ['detection'],
  );
});

test('--only: what does not exist', async () => {
  assert.match(
    await refusal(() => selectFromSuite(given(), ['methods=tokp'])),
    /unknown method 'tokp'\. Did you mean: topk/,
  );
  assert.match(await refusal(() => selectFromSuite(given(), ['x'])), /unknown method or task 'x'/);
  assert.match(await refusal(() => selectFromSuite(given(), ['methods='])), /expected names after it/);
  assert.match(
    await refusal(() => selectFromSuite(given(), ['subjects=clip', 'sites=two'])),
    /none of the chosen subjects/,
  );
});

test('--dataset and --dataset-option, for one subject', async () => {
  const one = {
    ...given(),
    subjects: [{ id: 'lm', sites: ['one'], dataset: { id: 'words', options: { train: 9, n: 2 } } }],
  };
  const exchange = (suite: Suite, id: string | undefined, options: Record<string, unknown> = {}) =>
    exchangeDataset(suite, { ...(id === undefined ? {} : { id }), options, baseDir: '/base' });
  assert.is(exchange(one, undefined), one);
  assert.equal(exchange(one, 'words', { n: 3 }).subjects[0]!.dataset, { id: 'words', options: { train: 9, n: 3 } });
  const other = exchange(one, 'texts', { path: 'mine' });
  assert.equal(other.subjects[0]!.dataset, { id: 'texts', options: { path: '/base/mine' } });
  assert.match(other.id, /^s-texts-[0-9a-f]{8}$/);
  assert.is(exchange(one, 'texts').id, 's-texts');
  assert.match(
    await refusal(() => exchange(given(), 'texts')),
    /expected a run of one subject, found 2; add --subject/,
  );
  const imported = { ...one, subjects: [{ sites: ['one'], activations: { from: '/dump' } }] };
  assert.match(await refusal(() => exchange(imported, 'texts')), /no meaning for imported activations/);
});

test('a method may be meant for some sites; sites of the command line fall to its first entry', async () => {
  const entry = (d_sae: number, ...sites: string[]) => ({ id: 'topk', options: { d_sae }, sites });
  const two = {
    ...given(),
    methods: [entry(64, 'one'), entry(16, 'two'), { id: 'pca' }],
    tasks: [{ id: 'detection' }],
  };
  two.subjects = two.subjects.slice(0, 1);
  checkNames(two, 'suite s');
  const sizes = (suite: Suite) => suite.methods.map(({ options, sites }) => [options?.['d_sae'], sites?.join()]);
  assert.equal(sizes(await overrideSuite(two, { sites: ['two', 'three'] })), [
    [64, 'three'],
    [16, 'two'],
    [undefined, undefined],
  ]);
  const twice = { ...two, methods: [entry(64, 'one'), entry(16, 'one', 'two')] };
  assert.match(await refusal(() => checkNames(twice, 'suite s')), /the name 'topk' occurs twice/);
  const unknown = { ...two, methods: [entry(64, 'onne')] };
  assert.match(await refusal(() => checkNames(unknown, 'suite s')), /unknown site .*'onne'\. Did you mean: one/);
});

test('--full sets what the suite says, and changes nothing of the given one; a suite without it is whole', async () => {
  const small: Suite = {
    ...given(),
    full: { tasks: { steering: { factors: 99 } }, methods: { topk: { k: 64 } }, seeds: [1] },
  };
  const before = structuredClone(small);
  const full = fullSuite(small);
  assert.equal(small, before);
  assert.equal([full.title, full.seeds, full.full], ['S (full)', [1], undefined]);
  assert.equal(
    full.methods.map(({ options }) => options),
    [{ k: 64 }, { k: 64 }, undefined],
  );
  assert.equal(full.tasks, [{ id: 'steering', options: { factors: 99 }, subjects: ['lm'] }, { id: 'detection' }]);
  assert.equal(limitSuite(full, 3).tasks[0]!.options, { factors: 2 }, 'limits hold within it');
  assert.match(await refusal(async () => fullSuite(given())), /--full: .* s has none: it is whole/);
  const unknown = { ...small, full: { tasks: { steer: {} } }, limits: undefined };
  const known = async () => checkSuite({ ...unknown, subjects: [], methods: [] }, folder, openRegistry());
  assert.match(await refusal(known), /unknown|steer/);
});

test('a task that names its methods: unknown ones are told, what a command line adds is scored too', async () => {
  const file = join(folder, 's.json');
  const written = (methods: string[]) => {
    writeFileSync(file, JSON.stringify({ ...given(), limits: undefined, tasks: [{ id: 'detection', methods }] }));
    return loadSuite(file);
  };
  assert.match(await refusal(() => written(['topk', 'pcb'])), /task detection.*'pcb'\. Did you mean: pca/);
  const { suite: narrow } = await written(['topk-8']);
  assert.is(scoredToo(narrow, narrow), narrow);
  const wider = scoredToo({ ...narrow, methods: [...narrow.methods, { id: 'mine' }] }, narrow);
  assert.equal(wider.tasks[0]!.methods, ['topk-8', 'mine']);
});

test('one model twice, with two datasets: each has a name of its own, with random weights too', async () => {
  const subject = { id: 'smollm2-135m', sites: ['one'], dataset: { id: 'words' } };
  const twice = { ...given(), subjects: [subject, { ...subject, name: 'with-base64' }] };
  assert.equal(twice.subjects.map(subjectName), ['smollm2-135m', 'with-base64']);
  const drawn = await overrideSuite({ ...twice, methods: [], tasks: [] }, { randomInit: 'all' });
  assert.equal(drawn.subjects.map(subjectName), ['smollm2-135m-random', 'with-base64-random']);
});

test('--limit caps everything and changes nothing of the given suite', () => {
  const before = given();
  const limited = limitSuite(before, 10);
  assert.equal(before, given());
  const [lm, clip] = limited.subjects;
  assert.equal([lm!.activations!.train, lm!.activations!.test], [10, 10]);
  assert.equal(lm!.concepts, { concepts: 4, perClass: 8 });
  assert.is(clip!.training!.tokens, 500);
  assert.equal(limited.methods[0]!.training, { lr: 1, tokens: 500 });
  assert.is(limited.methods[1]!.training, undefined);
  assert.is(lm!.training!.tokens, 500);
  assert.equal(limited.methods[2]!.options, { n: 3 });
  assert.equal(limited.tasks[0]!.options, { factors: 2 });
  assert.equal(limited.seeds, [1, 2]);
  assert.is(limitSuite(given(), 1000).subjects[0]!.activations!.train, 100);
});

test('--subject takes over dataset and sizes of the subject of its modality', async () => {
  const suite = absolutePaths(given(), folder);
  const text = await overrideSuite(suite, { subject: { id: 'b-lm', path: join(folder, 'b-lm') }, sites: ['three'] });
  assert.equal(text.subjects.length, 1);
  assert.equal(
    [text.subjects[0]!.id, text.subjects[0]!.sites, text.subjects[0]!.dataset!.id],
    ['b-lm', ['three'], 'words'],
  );
  assert.is(text.subjects[0]!.activations!.train, 100);
  // What the suite meant for its own subjects is meant for this one now.
  assert.is(text.methods[2]!.subjects, undefined);
  const image = await overrideSuite(suite, { subject: { id: 'c', path: join(folder, 'a-clip') } });
  assert.is(image.subjects[0]!.dataset!.id, 'scenes');
  // pca is meant for the language model only.
  assert.is(names(image), 'topk-8,topk-16');
  assert.equal(
    image.tasks.map(({ id }) => id),
    ['detection'],
  );
  const textOnly = { ...suite, subjects: suite.subjects.slice(0, 1) };
  const clash = () => overrideSuite(textOnly, { subject: { id: 'c', path: join(folder, 'a-clip') } });
  assert.match(await refusal(clash), /has no image subject whose dataset it could use/);
});

test('SAEs on another subject are sized by its width, but for those with a name of their own', async () => {
  assert.equal([64, 128, 512, 768, 2304, 8192].map(sparsityFor), [8, 8, 32, 64, 128, 256]);
  const suite = {
    ...given(),
    methods: [
      { id: 'topk', options: { d_sae: 512, k: 16, auxAlpha: 0 } },
      { id: 'topk', name: 'own', options: { k: 2 } },
      { id: 'relu' },
      { id: 'pca' },
    ],
  };
  const sized = await sizedBy(suite as Suite, 768, openRegistry());
  assert.equal(
    sized.methods.map(({ options }) => options),
    [{ k: 64, auxAlpha: 0 }, { k: 2 }, { targetL0: 64 }, undefined],
  );
  const lines = (each: Suite) => sizeLines(each, 768, openRegistry());
  assert.equal(await lines(sized), ['topk: d_sae 6144, k 64', 'relu: d_sae 6144, targetL0 64']);
  const set = setOptions(sized, ['topk.d_sae=12288', 'relu.expansion=4', 'relu.targetL0=24']);
  assert.equal(await lines(set), ['topk: d_sae 12288, k 64', 'relu: d_sae 3072, targetL0 24'], 'what --option sets');
});

test('--option sets an option or a training option of the methods of a name or id', async () => {
  const set = (...options: string[]) => setOptions(given(), options).methods;
  const [first, second] = set('topk.k=32', 'topk-8.lr=0.5');
  assert.equal([first!.options, second!.options], [{ k: 32 }, { k: 32 }]);
  assert.equal([first!.training, second!.training], [{ lr: 0.5, tokens: 1e6 }, undefined]);
  assert.match(await refusal(() => set('tokp.k=32')), /unknown method or task of --option 'tokp'\. Did you mean: topk/);
  const { tasks, methods } = setOptions({ ...given(), tasks: [{ id: 'steering', options: { prompts: 2 } }] }, [
    'steering.judge=mine',
  ]);
  assert.equal(tasks, [{ id: 'steering', options: { prompts: 2, judge: 'mine' } }]);
  assert.equal(methods, given().methods, 'of a task');
  assert.match(await refusal(() => set('k=32')), /expected METHOD\.NAME=VALUE/);
  assert.match(await refusal(() => set('topk.k=32', 'topk.k=16')), /'topk\.k' is given twice; keep one/);
});

test('--activations and --seed', async () => {
  const suite = absolutePaths(given(), folder);
  const changed = await overrideSuite(suite, {
    imported: { folder: '/data/x', modality: 'text', sites: ['blocks.1'], rows: 300, seed: 4 },
    seed: 9,
  });
  // What tests and concepts leave is trained on, at least once: no number of items is taken over.
  assert.equal(changed.subjects[0]!.activations, { from: '/data/x', modality: 'text', seed: 4, test: 20 });
  assert.ok(changed.subjects[0]!.training!.tokens! >= 300);
  assert.equal([changed.subjects[0]!.sites, changed.seeds], [['blocks.1'], [9]]);
  const both = () =>
    overrideSuite(suite, { subject: { id: 'lm' }, imported: { folder: '/x', modality: 'image', sites: [], rows: 1 } });
  assert.match(await refusal(both), /exclude each other/);
});

test('--random-init draws all models anew, under other names and another title; what is no model is refused', async () => {
  const drawn = await overrideSuite(given(), { randomInit: 'blocks' });
  assert.equal(
    drawn.subjects.map(({ randomInit }) => randomInit),
    ['blocks', 'blocks'],
  );
  assert.is(drawn.id, 's-random-init');
  assert.equal(drawn.tasks[0]!.subjects, ['lm']);
  const embedded = { ...given(), subjects: [{ ...given().subjects[0]!, id: 'tiny-lm-planted', path: undefined }] };
  const alone = { ...embedded, methods: [{ id: 'pca', subjects: ['tiny-lm-planted'] }], tasks: [] };
  const named = await overrideSuite(alone, { randomInit: 'all' });
  assert.equal(named.methods[0]!.subjects, ['tiny-lm-planted-random']);
  checkNames({ ...alone, subjects: [...alone.subjects, ...named.subjects] }, 'beside each other');
  const there = absolutePaths(given(), folder);
  const other = await overrideSuite(there, { subject: { id: 'b', path: join(folder, 'b-lm') }, randomInit: 'all' });
  assert.equal([other.id, other.subjects[0]!.randomInit], ['s-b-random', 'all']);
  assert.equal(other.subjects.map(subjectName), ['b-random'], 'the folder’s name is that of the trained model');
  const imported = { folder: '/x', modality: 'image' as const, sites: [], rows: 1 };
  assert.match(
    await refusal(() => overrideSuite(given(), { imported, randomInit: 'all' })),
    /--random-init and --activations exclude each other/,
  );
});

test('the suites of the package run on one new subject of either modality without a name twice', async () => {
  const { suite: loaded, baseDir } = await loadSuite('default');
  for (const folderName of ['b-lm', 'a-clip']) {
    const subject = { id: folderName, path: join(folder, folderName) };
    const changed = await overrideSuite(absolutePaths(loaded, baseDir), { subject });
    checkNames(changed, 'suite default');
    assert.ok(changed.methods.some(({ id }) => id === 'topk'));
  }
});

test('paths are relative to the suite’s file', async () => {
  assert.is(absolutePaths(given(), folder).subjects[0]!.path, join(folder, 'a-lm'));
  assert.is(await subjectFolder({ path: 'a-lm' }, folder), join(folder, 'a-lm'));
  assert.match(await refusal(() => subjectFolder({ path: 'none' }, folder)), /there is no folder/);
  mkdirSync(join(folder, 'empty'), { recursive: true });
  assert.match(await refusal(() => subjectFolder({ path: 'empty' }, folder)), /expected config\.json/);
  assert.match(
    await refusal(() => subjectFolder({ id: 'tiny-ml' }, folder)),
    /unknown embedded or known subject 'tiny-ml'/,
  );
});

test('what a person names: a folder, a model on the hub', async () => {
  assert.equal(await subjectByName(join(folder, 'a-lm')), { id: 'a-lm', path: join(folder, 'a-lm') });
  assert.equal(await subjectByName('openai/clip-vit-base-patch16'), {
    id: 'clip-vit-base-patch16',
    hub: 'openai/clip-vit-base-patch16',
  });
  assert.equal(await subjectByName('gpt2@main/x/y'), { id: 'y', path: join(process.cwd(), 'gpt2@main/x/y') });
});

test('subjects that contradict themselves', async () => {
  const file = join(folder, 's.json');
  const attempt = (subject: object) => {
    writeFileSync(file, JSON.stringify({ ...given(), limits: undefined, subjects: [{ sites: ['x'], ...subject }] }));
    return refusal(() => loadSuite(file));
  };
  assert.match(await attempt({ path: 'a', hub: 'b/c' }), /subjects\[0\]: has 'path' and 'hub'; keep one/);
  assert.match(await attempt({}), /expected 'id', 'path', 'hub' or 'activations\.from'; found none/);
  assert.match(await attempt({ id: 'lm' }), /lacks the key 'dataset'/);
  assert.match(await attempt({ id: 'ml', dataset: { id: 'd' } }), /unknown subject in .* 'lm'/);
});

test('every suite of the package is a valid one', async () => {
  for (const id of suiteIds()) assert.is((await loadSuite(id)).suite.id, id);
});

test('the embedded language model that examples name is that of the default suite, in the README and the starting suite too', async () => {
  const named = async (file: string, mention: RegExp) =>
    [...(await readFile(join(packageRoot, file), 'utf8')).matchAll(mention)].map(([, id]) => id);
  const spelled = [
    ...(await loadSuite('default')).suite.subjects.map(({ id }) => id).slice(0, 1),
    ...(await loadSuite('variants')).suite.subjects.map(({ id }) => id).slice(0, 1),
    ...(await named('README.md', /--subject (tiny-lm\S*)/g)),
    ...(await named('harness/scaffold/suite/starter.json', /"(tiny-lm[^"]*)"/g)),
  ];
  assert.ok(spelled.length > 5);
  assert.equal([...new Set(spelled)], [EMBEDDED_LM]);
});

test.run();
