/** @file The plan is pure, and keys change with what changes numbers and with nothing else. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Plan, planSteps, planSuite } from './plan.ts';
import type { ResolvedMethod, ResolvedSuite, ResolvedTask } from './suite/resolved.ts';
import { base, method, subject, task } from './testing/resolved.ts';

const test = suite('plan');

const keysOf = (plan: Plan) => planSteps(plan).map(({ key }) => key);
const results = (plan: Plan) =>
  plan.sites.flatMap((sitePlan) =>
    sitePlan.fits.flatMap((fit) => fit.evaluations.map(({ task, seed }) => `${fit.method.name} ${task.id} ${seed}`)),
  );

/** Steps of `b` that `a` does not have, by kind. */
function newSteps(a: ResolvedSuite, b: ResolvedSuite): string[] {
  const known = new Set(keysOf(planSuite(a)));
  return planSteps(planSuite(b))
    .filter(({ key }) => !known.has(key))
    .map(({ kind, label }) => `${kind} ${label}`);
}

test('same argument, same plan; the argument is not changed', () => {
  const given = base();
  const before = structuredClone(given);
  assert.equal(planSuite(given), planSuite(structuredClone(given)));
  assert.equal(given, before);
});

test('one result for each seed where anything draws, one otherwise', () => {
  assert.equal(results(planSuite(base())), [
    'topk reconstruction 3',
    'topk steering 3',
    'topk reconstruction 4',
    'topk steering 4',
    'pca reconstruction 3',
    'pca steering 3',
    'pca steering 4',
  ]);
});

test('steps come after what they read, each key once', () => {
  const steps = planSteps(planSuite(base()));
  assert.is(new Set(steps.map(({ key }) => key)).size, steps.length);
  const kinds = steps.map(({ kind }) => kind);
  // 3 activations; 1 reconstruction preparation; topk twice with 2 evaluations; pca with 3 evaluations.
  assert.equal(kinds, [
    ...['activations', 'activations', 'activations', 'prepare'],
    ...['fit', 'evaluate', 'evaluate', 'fit', 'evaluate', 'evaluate', 'fit', 'evaluate', 'evaluate', 'evaluate'],
  ]);
  for (const { key } of steps) assert.match(key, /^[0-9a-f]{64}$/);
});

test('a plan names subjects by id and fingerprint, and no place of this machine', () => {
  const text = JSON.stringify(planSuite(base()));
  assert.match(text, /fingerprint of lm/);
  assert.not.match(text, /\/models\/|baseDir/);
});

test('names, folders and titles are in no key', () => {
  const other = base({ id: 'renamed', title: 'Renamed', limited: true });
  other.subjects[0] = subject('other-name', {
    fingerprint: 'fingerprint of lm',
    place: { folder: '/elsewhere', baseDir: '/there' },
  });
  other.methods = other.methods.map((each) => ({
    ...each,
    name: `${each.name}-b`,
    title: 'b',
    optionsPassed: { a: 1 },
  }));
  assert.equal(newSteps(base(), other), []);
});

test('the embedder of a task is in the keys of what it prepares and evaluates, its id and its place are not', () => {
  const embedder = { id: 'mini', fingerprint: 'a', family: 'llama@1', place: { folder: '/x/mini', baseDir: '' } };
  const withEmbedder = (more: Partial<typeof embedder>) =>
    base({ tasks: [task('reconstruction', { prepares: true, embedder: { ...embedder, ...more } }), base().tasks[1]!] });
  assert.equal(newSteps(base(), withEmbedder({})), [
    'prepare lm blocks.0.hook_resid_post reconstruction',
    ...[3, 4].map((seed) => `evaluate lm blocks.0.hook_resid_post topk reconstruction seed ${seed}`),
    'evaluate lm blocks.0.hook_resid_post pca reconstruction seed 3',
  ]);
  assert.is(newSteps(withEmbedder({}), withEmbedder({ fingerprint: 'b' })).length, 4);
  const elsewhere = { id: 'other', place: { folder: '/y/mini', baseDir: '' } };
  assert.equal(newSteps(withEmbedder({}), withEmbedder(elsewhere)), []);
  assert.not.match(JSON.stringify(planSuite(withEmbedder({}))), /folder/);
});

test('a hyper-parameter changes this method only', () => {
  const other = base();
  other.methods[0] = { ...other.methods[0]!, options: { k: 8 } };
  const changed = newSteps(base(), other);
  assert.is(changed.length, 6);
  assert.ok(changed.every((label) => label.includes('topk')));
});

test('everything that changes numbers changes keys', () => {
  const changes: [string, (suite: ResolvedSuite) => void, string][] = [
    ['arithmetic', (s) => Object.assign(s, { arithmetic: 'native: avx2' }), 'activations'],
    ['code of the backend', (s) => Object.assign(s.code.machine, { backend: 'x' }), 'activations'],
    ['code that collects', (s) => Object.assign(s.code.machine, { collect: 'x' }), 'activations'],
    ['code of the family', (s) => Object.assign(s.code.plugins, { 'subject llama': 'x' }), 'activations'],
    ['code of the dataset', (s) => Object.assign(s.code.plugins, { 'dataset words': 'x' }), 'activations'],
    ['code that trains', (s) => Object.assign(s.code.machine, { sae: 'x' }), 'fit'],
    ['code of a variant', (s) => Object.assign(s.code.plugins, { 'sae topk': 'x' }), 'fit'],
    ['code of a baseline', (s) => Object.assign(s.code.plugins, { 'baseline pca': 'x' }), 'fit'],
    ['code that prepares', (s) => Object.assign(s.code.machine, { prepare: 'x' }), 'prepare'],
    ['code of a task', (s) => Object.assign(s.code.plugins, { 'task reconstruction': 'x' }), 'prepare'],
    ['code that evaluates', (s) => Object.assign(s.code.machine, { evaluate: 'x' }), 'evaluate'],
    [
      'code of a task that prepares nothing',
      (s) => Object.assign(s.code.plugins, { 'task steering': 'x' }),
      'evaluate',
    ],
    ['subject', (s) => Object.assign(s.subjects[0]!, { fingerprint: 'x' }), 'activations'],
    ['dataset', (s) => Object.assign(s.subjects[0]!.dataset, { fingerprint: 'x' }), 'activations'],
    ['dataset seed', (s) => Object.assign(s.subjects[0]!.dataset, { seed: 9 }), 'activations'],
    ['items', (s) => Object.assign(s.subjects[0]!.collect, { train: 99 }), 'activations'],
    ['policy', (s) => Object.assign(s.subjects[0]!.collect, { policy: { specialTokens: 'include' } }), 'activations'],
    ['filter of positions', (s) => Object.assign(s.subjects[0]!.collect, { policy: { first: 1 } }), 'prepare'],
    ['concepts', (s) => Object.assign(s.subjects[0]!, { concepts: { concepts: 3 } }), 'activations'],
    ['trainer', (s) => Object.assign(s, { trainerVersion: 2 }), 'fit'],
    ['training of the subject', (s) => Object.assign(s.subjects[0]!, { training: { lr: 1 } }), 'fit'],
    ['method version', (s) => Object.assign(s.methods[1]!, { version: 2 }), 'fit'],
    ['seeds', (s) => Object.assign(s, { seeds: [5] }), 'fit'],
    ['task options', (s) => Object.assign(s.tasks[0]!, { options: { factor: 2 } }), 'prepare'],
    [
      'judge of a task',
      (s) => Object.assign(s.tasks[1]!, { judge: { id: 'words', version: 1, options: {} } }),
      'evaluate',
    ],
    ['task version', (s) => Object.assign(s.tasks[1]!, { version: 2 }), 'evaluate'],
  ];
  for (const [what, change, kind] of changes) {
    const other = base();
    change(other);
    assert.is(newSteps(base(), other)[0]?.split(' ')[0], kind, what);
  }
});

test('id, version, options, endpoint and code of a judge are in the key of what it judged', () => {
  const judged = (judge: Partial<NonNullable<ResolvedTask['judge']>>, code = 'a') => {
    const given = base();
    given.tasks[1]!.judge = { id: 'words', version: 1, options: {}, ...judge };
    for (const id of ['words', 'other']) given.code.plugins[`judge ${id}`] = code;
    return given;
  };
  const others = [
    judged({ id: 'other' }),
    judged({ version: 2 }),
    judged({ options: { model: 'b' } }),
    judged({ endpoint: 'http://localhost:8000/v1' }),
    judged({}, 'b'),
  ];
  for (const other of others) {
    const changed = newSteps(judged({}), other);
    assert.ok(changed.length > 0 && changed.every((label) => /^evaluate .* steering seed/.test(label)));
  }
});

test('a second judge of the same texts is in the key of what it judged, and its code with it', () => {
  const judged = (second: string | undefined, code = 'a') => {
    const given = base();
    given.tasks[1]!.judge = { id: 'words', version: 1, options: {} };
    if (second) given.tasks[1]!.otherJudges = [{ id: second, version: 1, options: {} }];
    given.code.plugins['judge words'] = 'a';
    for (const id of ['second', 'third']) given.code.plugins[`judge ${id}`] = code;
    return given;
  };
  for (const [before, after] of [
    [judged(undefined), judged('second')],
    [judged('second'), judged('third')],
    [judged('second'), judged('second', 'b')],
  ] as const) {
    const changed = newSteps(before, after);
    assert.ok(changed.length > 0 && changed.every((label) => /^evaluate .* steering seed/.test(label)));
  }
});

test('code changes the steps that run it, and no others', () => {
  const others: [string, (suite: ResolvedSuite) => void][] = [
    ['what no step runs', (s) => Object.assign(s.code.plugins, { 'task detection': 'x', 'sae other': 'x' })],
    ['what reads imports', (s) => Object.assign(s.code.machine, { import: 'x', checkpoint: 'x' })],
    ["what a subject's card says", (s) => Object.assign(s.subjects[0]!, { remarks: ['x'] })],
    ['the name of the backend', (s) => Object.assign(s, { backend: 'renamed' })],
  ];
  for (const [what, change] of others) {
    const other = base();
    change(other);
    assert.equal(newSteps(base(), other), [], what);
  }
  const trainer = base();
  trainer.code.machine['sae'] = 'x';
  assert.ok(newSteps(base(), trainer).every((label) => label.includes('topk')));
  const steering = base();
  steering.code.plugins['task steering'] = 'x';
  assert.ok(newSteps(base(), steering).every((label) => /^evaluate .* steering seed/.test(label)));
});

test('imported activations: the code that reads them counts, that of subjects and datasets does not', () => {
  const given = base({
    subjects: [subject('dump', { place: { imported: '/dump', baseDir: '' }, family: 'imported' })],
  });
  const changed = (change: (suite: ResolvedSuite) => void) => {
    const other = structuredClone(given);
    change(other);
    return newSteps(given, other).length;
  };
  assert.ok(changed((s) => Object.assign(s.code.machine, { import: 'x' })) > 0);
  assert.is(
    changed((s) => Object.assign(s.code.plugins, { 'subject llama': 'x', 'dataset words': 'x' })),
    0,
  );
});

test('a step whose code has no digest is refused: it would be reused whatever becomes of the code', () => {
  const given = base();
  delete given.code.plugins['sae topk'];
  assert.throws(() => planSuite(given), /no digest of the code of sae topk/);
});

test('seeds share identity and settings; options, training and a checkpoint’s weights make another identity', () => {
  const fitOf = (more: Partial<ResolvedMethod>, suite: Partial<ResolvedSuite> = {}) => {
    const given = base({
      ...suite,
      methods: [method('topk', { kind: 'sae', seeded: true, options: { k: 4 }, ...more })],
    });
    return planSuite(given).sites[0]!.fits;
  };
  const [first, second] = fitOf({});
  assert.is.not(first!.key, second!.key);
  assert.equal(
    [first!.identity, first!.evaluations[0]!.settings],
    [second!.identity, second!.evaluations[0]!.settings],
  );
  assert.is(fitOf({ name: 'other', title: 'T', optionsPassed: { k: 4 } })[0]!.identity, first!.identity);
  const others = [
    fitOf({ options: { k: 8 } }),
    fitOf({ training: { lr: 1 } }),
    fitOf({ checkpoint: '/a', options: { fingerprint: 'one' } }),
    fitOf({ checkpoint: '/a', options: { fingerprint: 'two' } }),
    fitOf({}, { subjects: [subject('lm', { training: { tokens: 5 } })] }),
  ].map(([fit]) => fit!.identity);
  assert.is(new Set([first!.identity, ...others]).size, 6);
  // Code and data change no identity: they change what is averaged.
  const code = fitOf({}, { trainerVersion: 2 })[0]!;
  assert.is(code.identity, first!.identity);
  assert.is.not(code.evaluations[0]!.settings.row, first!.evaluations[0]!.settings.row);
  assert.is(code.evaluations[0]!.settings.table, first!.evaluations[0]!.settings.table);
});

test('a method of its own training options wins over the subject', () => {
  const given = base({ subjects: [subject('lm', { training: { lr: 1, tokens: 5 } })] });
  given.methods[0]!.training = { lr: 2 };
  assert.equal(planSuite(given).sites[0]!.fits[0]!.training, { lr: 2, tokens: 5 });
});

test('controls are scored by the tasks that ask for them only', () => {
  const given = base({ tasks: [task('reconstruction'), task('detection', { controls: ['length'] })] });
  given.methods.push(method('length', { control: true, needs: 'text', modalities: ['text'] }));
  const named = results(planSuite(given)).filter((label) => label.startsWith('length'));
  assert.equal(named, ['length detection 3']);
});

test('a task that names its methods scores these, by name or id, and its controls; the keys of what it scores do not know it', () => {
  const narrow = (methods: string[]) =>
    base({ tasks: [task('reconstruction'), task('detection', { controls: ['length'], methods })] });
  const control = () => method('length', { control: true, needs: 'text', modalities: ['text'] });
  const given = narrow(['pca']);
  given.methods.push(control());
  const labels = results(planSuite(given)).filter((label) => label.includes('detection'));
  assert.equal(labels, ['pca detection 3', 'length detection 3']);
  const whole = base({ tasks: [task('reconstruction'), task('detection', { controls: ['length'] })] });
  whole.methods.push(control());
  assert.equal(newSteps(whole, given), []);
  // A control that the suite names as a method stands beside the task's methods too.
  const named = narrow(['pca']);
  named.methods.push(method('length', { needs: 'text', modalities: ['text'] }));
  assert.ok(results(planSuite(named)).includes('length detection 3'));
  const alone = planSuite({ ...given, tasks: given.tasks.slice(1) });
  assert.equal(
    alone.sites[0]!.fits.map(({ method }) => method.name),
    ['pca', 'length'],
  );
  assert.equal(alone.skipped, [{ subject: 'lm', method: 'topk', reason: 'no task of the run scores it' }]);
});

test('a site where only controls would stand is left out, and said to be', () => {
  const sites = ['blocks.0.hook_resid_post', 'blocks.1.hook_resid_post'];
  const tasks = [task('detection', { controls: ['length'] })];
  const control = method('length', { control: true, needs: 'text', modalities: ['text'] });
  const checkpoint = method('mine', { kind: 'sae', site: sites[1], checkpoint: '/mine' });
  const given = base({ subjects: [subject('lm', { sites })], methods: [checkpoint, control], tasks });
  const plan = planSuite(given);
  assert.equal(
    plan.sites.map(({ site, fits }) => [site, fits.map(({ method }) => method.name)]),
    [[sites[1], ['mine', 'length']]],
  );
  assert.equal(plan.skipped, [{ subject: 'lm', reason: 'no method stands at blocks.0.hook_resid_post' }]);
  assert.is(planSuite({ ...given, methods: [control] }).sites.length, 2, 'alone they are all that there is');
});

test('a method of one site stands there only, is not trained, and is said to be left out elsewhere', () => {
  const sites = ['blocks.0.hook_resid_post', 'blocks.1.hook_resid_post'];
  const checkpoint = method('mine', { kind: 'sae', site: sites[1], checkpoint: '/mine' });
  const given = base({ subjects: [subject('lm', { sites, training: { lr: 1 } })], methods: [checkpoint] });
  const plan = planSuite(given);
  assert.equal(
    plan.sites.map(({ fits }) => fits.map(({ method, training }) => [method.name, training])),
    [[], [['mine', {}]]],
  );
  assert.equal(newSteps(given, { ...given, trainerVersion: 9 }), []);
  assert.equal(plan.skipped, []);
  given.methods[0] = { ...checkpoint, site: 'blocks.2.hook_resid_post' };
  const reason = `belongs to the site blocks.2.hook_resid_post, and this run studies ${sites.join(', ')}`;
  assert.equal(planSuite(given).skipped, [{ method: 'mine', reason }]);
});

test('what cannot run is left out with the reason', () => {
  const given = base();
  given.subjects.push(
    subject('clip', { dataset: { ...subject('clip').dataset, modality: 'image', hasConcepts: false } }),
  );
  given.methods = [
    method('bow', { modalities: ['text'] }),
    method('probe', { needs: 'labels' }),
    method('length', { needs: 'text' }),
  ];
  const { skipped, sites } = planSuite(given);
  assert.equal(skipped, [
    { subject: 'clip', method: 'bow', reason: 'works on text only' },
    { subject: 'clip', method: 'probe', reason: 'needs labelled concepts, and the dataset words has none' },
    { subject: 'clip', method: 'length', reason: 'needs labelled concepts, and the dataset words has none' },
  ]);
  assert.is(sites[1]!.fits.length, 0);
  assert.is(sites[1]!.activations.labelled, undefined);
});

test('what reads texts is left out where activations were imported: they have none', () => {
  const given = base({
    subjects: [subject('dump', { place: { imported: '/dump', baseDir: '' }, family: 'imported' })],
  });
  given.methods = [method('length', { needs: 'text' }), method('probe', { needs: 'labels' })];
  const { skipped, sites } = planSuite(given);
  const reason = 'needs texts, not imported activations';
  assert.equal(skipped, [{ subject: 'dump', method: 'length', reason }]);
  assert.equal(
    sites[0]!.fits.map(({ method: { id } }) => id),
    ['probe'],
  );
});

test('subjects of a method or task are kept to', () => {
  const given = base({ subjects: [subject('lm'), subject('lm-2')] });
  given.methods[1]!.subjects = ['lm-2'];
  given.tasks[1]!.subjects = ['lm'];
  const labels = planSuite(given).sites.map((sitePlan) => sitePlan.fits.map((fit) => fit.method.id).join());
  assert.equal(labels, ['topk,topk', 'topk,topk,pca']);
  assert.ok(results(planSuite(given)).filter((label) => label.includes('steering')).length === 2);
});

test('a task that compares seeds has the next seed’s fit in its key, and that fit stands before it; of one seed there is none', () => {
  const compares = base({ tasks: [task('reconstruction', { comparesSeeds: true })] });
  const plan = planSuite(compares);
  const [sitePlan] = plan.sites;
  const [first, second, lone] = sitePlan!.fits;
  assert.equal(first!.evaluations[0]!.otherSeed, { key: second!.key, seed: second!.seed });
  assert.equal(second!.evaluations[0]!.otherSeed, { key: first!.key, seed: first!.seed });
  assert.is(lone!.evaluations[0]!.otherSeed, undefined);
  const keys = planSteps(plan).map(({ key }) => key);
  assert.ok(keys.indexOf(second!.key) < keys.indexOf(first!.evaluations[0]!.key));
  const place = 'lm blocks.0.hook_resid_post topk';
  assert.equal(newSteps(base({ ...compares, seeds: [3] }), compares), [
    `fit ${place} seed 4`,
    // The seed that stood alone has now another beside it.
    `evaluate ${place} reconstruction seed 3`,
    `evaluate ${place} reconstruction seed 4`,
  ]);
});

test.run();
