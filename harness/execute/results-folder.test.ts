/** @file A second run into a folder of results: settings that tables share are refused, methods' own become rows. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tellApart } from '../../reports/settings.ts';
import type { Plan } from '../plan.ts';
import { readResult, resultFiles, sealed } from '../results.ts';
import type { Result } from '../schema/result.generated.ts';
import type { Suite, SuiteSubject } from '../schema/suite.generated.ts';
import { toyRegistry, toySuite } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';
import { compareFolder, outdatedLines, refuseOthers, removeOthers } from './results-folder.ts';
import { prepareRun } from './run.ts';

const test = suite('other settings');
let folder: string;
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-other-'));
});
test.after(() => rm(folder, { recursive: true, force: true }));

/** The plan of the toy suite as it would be run a second time, with something changed. */
async function planned(more: Partial<Suite> = {}, limited = false): Promise<Plan> {
  const settings = { backend: 'cpu', limited, passed: [], settings: {}, say() {} };
  return (await prepareRun(toySuite(folder, more), toyRegistry(), settings)).plan;
}

const subject = (more: Partial<SuiteSubject>): Partial<Suite> => {
  const [own] = toySuite(folder).subjects;
  return { subjects: [{ ...own!, ...more }] };
};

async function refusal(plan: Plan): Promise<string> {
  const out = join(folder, 'out');
  try {
    refuseOthers(out, await compareFolder(out, plan));
  } catch (error) {
    assert.is((error as Error).name, 'UserError');
    assert.not.match((error as Error).message, /\n/);
    return (error as Error).message;
  }
  return 'accepted';
}

test('the first run, and the same plan again', async () => {
  const { out } = await runToy(folder);
  assert.is((await resultFiles(out)).length, 3);
  assert.equal(await compareFolder(out, await planned()), { others: [], outdated: 0, left: 0 });
  const [result] = await Promise.all((await resultFiles(out)).map(readResult));
  assert.equal(result!.settings.data, { seed: 0, train: 20, test: 10, dtype: 'float32', policy: {} });
});

test('another embedder of a task, which is none of its options', async () => {
  await runToy(folder);
  const plan = await planned();
  const embedder = { id: 'mini', fingerprint: 'f'.repeat(64), family: 'bert@1' };
  for (const { evaluations } of plan.sites.flatMap(({ fits }) => fits)) {
    for (const evaluation of evaluations) evaluation.task = { ...evaluation.task, embedder };
  }
  assert.match(await refusal(plan), /results with task\.embedder f+…?, as this run; found .* with none/);
});

const CHANGES: [string, () => Partial<Suite>, RegExp][] = [
  ['an option of the task', () => ({ tasks: [{ id: 'toy-task', options: { offset: 1 } }] }), /task\.offset 1, .* 0 /],
  [
    'an option of the dataset',
    () => subject({ dataset: { id: 'toy-words', options: { concepts: false } } }),
    /dataset\.concepts false, .* true /,
  ],
  ['the seed of the dataset', () => subject({ dataset: { id: 'toy-words', seed: 3 } }), /data\.seed 3, .* 0 /],
  ['items to train on', () => subject({ activations: { train: 21, test: 10 } }), /data\.train 21, .* 20 /],
  ['held-out items', () => subject({ activations: { train: 20, test: 11 } }), /data\.test 11, .* 10 /],
  [
    'the type of activations',
    () => subject({ activations: { train: 20, test: 10, dtype: 'float16' } }),
    /data\.dtype float16, .* float32 /,
  ],
  [
    'a cut of texts',
    () => subject({ activations: { train: 20, test: 10, maxLength: 6 } }),
    /data\.maxLength 6, .* none /,
  ],
  ['the number of concepts', () => subject({ concepts: { concepts: 1 } }), /data\.concepts 1, .* none /],
  ['examples of a concept', () => subject({ concepts: { perClass: 3 } }), /data\.perClass 3, .* none /],
];

for (const [what, change, message] of CHANGES) {
  test(`${what}: refused, naming both values and the mend`, async () => {
    const found = await refusal(await planned(change()));
    assert.match(found, message);
    assert.match(found, /^--out .*: expected results with .*, as this run; found .* toy-task with .* --overwrite\.$/);
  });
}

test('a subject whose files have changed under the same name', async () => {
  const config = join(folder, 'toy-model/config.json');
  const before = await readFile(config, 'utf8');
  const plan = planned();
  await plan;
  const { subjects } = toySuite(folder);
  await writeFile(config, '{"model_type":"toy","layers":2}');
  const changed = await prepareRun({ ...toySuite(join(folder, 'elsewhere')), subjects }, toyRegistry(), {
    backend: 'cpu',
    limited: false,
    passed: [],
    settings: {},
    say() {},
  });
  assert.match(await refusal(changed.plan), /expected results with subject [0-9a-f]{60}…, as this run; found/);
  await writeFile(config, before);
});

test('another backend, and a limited run', async () => {
  const plan = await planned();
  assert.match(await refusal({ ...plan, backend: 'wasm' }), /backend wasm, .* cpu /);
  assert.match(await refusal(await planned({}, true)), /limited true, .* false /);
});

test('options of a method, seeds and another site make rows, and are not refused', async () => {
  const more = { methods: [{ id: 'toy-mean', options: { scale: 3 } }], seeds: [0, 1, 2] };
  assert.is(await refusal(await planned(more)), 'accepted');
  const { out } = await runToy(folder, more);
  const results = await Promise.all((await resultFiles(out)).map(readResult));
  const names = new Set(tellApart(results).map(({ method }) => method.name));
  assert.equal([...names].sort(), ['toy-mean scale=1', 'toy-mean scale=3', 'toy-null']);
});

test('results from other code are made anew and said; those that the plan does not make are said to stay', async () => {
  const { plan, out } = await runToy(folder, { methods: [{ id: 'toy-mean' }] });
  const renewed = structuredClone(plan);
  for (const { fits } of renewed.sites) {
    for (const { evaluations } of fits) {
      for (const each of evaluations) {
        each.key = 'e'.repeat(64);
        each.settings.table = 'f'.repeat(64);
      }
    }
  }
  const findings = await compareFolder(out, renewed);
  assert.equal([findings.others.length, findings.outdated, findings.left], [0, 3, 3]);
  assert.equal(outdatedLines(findings), [
    '3 results come from other code or another build: they are made anew.',
    '3 results of other methods come from other code or another build: they stay, as rows apart (#hash).',
  ]);
});

test('results of an older saxbench, which do not say what was read, are compared by what they say', async () => {
  const { out } = await runToy(folder);
  for (const file of await resultFiles(out)) {
    const { settings, ...result } = await readResult(file);
    const { data: _, ...older } = settings;
    await writeFile(file, JSON.stringify(sealed({ ...result, settings: older } as Result)));
  }
  assert.is(await refusal(await planned()), 'accepted');
  assert.match(await refusal(await planned({ tasks: [{ id: 'toy-task', options: { offset: 1 } }] })), /task\.offset/);
});

test('what is overwritten goes, also of methods that the new run has not', async () => {
  const out = join(folder, 'out');
  const plan = await planned({
    tasks: [{ id: 'toy-task', options: { offset: 1 } }],
    methods: [{ id: 'toy-mean', name: 'own' }],
  });
  const findings = await compareFolder(out, plan);
  assert.equal(outdatedLines(findings), [
    '1 results under other settings are replaced.',
    '5 results under other settings are removed, and this run makes none in their place.',
  ]);
  await removeOthers(findings);
  assert.equal(await resultFiles(out), []);
});

test.run();
