/** @file The filter of positions in a run: which rows, keys, results, and what is said. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineDataset, type LanguageModel, tf } from '../contract.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { setPositions } from '../suite/set-positions.ts';
import { toyRegistry, toySuite } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';

const test = suite('execute/positions');
let folder: string;
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-positions-'));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

const subjectsWith = (given: string[]): Pick<Suite, 'subjects'> => ({
  subjects: setPositions(toySuite(folder), given).subjects,
});

test('a declared filter is in rows, keys, settings and results, and is said once', async () => {
  const plain = await runToy(folder);
  const { summary, said, plan } = await runToy(folder, subjectsWith(['tokens=[1]', 'first=2']));
  const [before, after] = [plain.summary.results[0]!, summary.results[0]!];
  assert.equal(summary.failures, []);
  assert.is(before.dataset.positions, undefined);
  const { positions, trainRows, testRows, policy } = after.dataset;
  assert.equal([positions!.measured, positions!.first, positions!.tokens], [false, 2, [1]]);
  assert.equal(
    [trainRows + positions!.leftOut['train']!, testRows + positions!.leftOut['test']!],
    [before.dataset.trainRows, before.dataset.testRows],
  );
  assert.ok(positions!.leftOut['test']! > 0);
  assert.is(policy, 'special tokens excluded; left out: the first 2 positions of every item; tokens 1');
  assert.equal(after.settings.data!.policy, { tokens: [1], first: 2 });
  // What is stored is the same: only what is read of it changes.
  assert.equal(plan.sites[0]!.activations, plain.plan.sites[0]!.activations);
  assert.is(summary.computed.activations, 0);
  assert.is(summary.computed.evaluate, plain.summary.computed.evaluate);
  const { settings } = after;
  assert.is.not(settings.row, before.settings.row);
  assert.is(said.filter((line) => line.includes('left out: the first 2 positions of every item')).length, 1);
});

test('nothing left out: the same numbers and rows, whatever is measured', async () => {
  const plain = await runToy(folder);
  const { summary } = await runToy(folder, subjectsWith(['sinks=keep']));
  const numbers = ({ rows, dataset }: (typeof summary.results)[number]) => ({ rows, dataset });
  assert.equal(summary.results.map(numbers), plain.summary.results.map(numbers));
});

test('where few rows hold the variance, methods that read rows are marked, not those that read texts alone', async () => {
  const registry = toyRegistry();
  const here = fileURLToPath(import.meta.url);
  const alike = defineDataset({
    id: 'toy-alike',
    title: 'One letter, but once',
    version: 1,
    modality: 'text',
    options: {},
    open: async () => ({
      id: 'toy-alike',
      modality: 'text',
      fingerprint: 'toy-alike',
      corpus: async (split, n) =>
        Array.from({ length: n }, (_, i) => ({
          id: `${split}-${i}`,
          text: split === 'test' ? 'bbbb' : i === 3 ? 'aaaaabaaaa' : 'aaaaaaaaaa',
        })),
      concepts: async () => ({
        concepts: [{ id: 'letter', label: 'letters' }],
        items: Array.from({ length: 8 }, (_, i) => ({ id: `c${i}`, text: `${i}` })),
        examples: Array.from({ length: 8 }, (_, item) => ({
          concept: 0,
          item,
          split: item < 4 ? ('train' as const) : ('eval' as const),
          role: item % 2 ? ('positive' as const) : ('negative' as const),
        })),
      }),
    }),
  });
  const mean = await registry.get('baseline', 'toy-mean');
  for (const plugin of [alike, { ...mean, id: 'toy-text', needs: 'text' as const }]) registry.add(plugin, here);
  const subjects = toySuite(folder).subjects.map((subject) => ({
    ...subject,
    dataset: { id: 'toy-alike' },
    activations: { train: 40, test: 10 },
  }));
  const methods = [{ id: 'toy-mean' }, { id: 'toy-text' }];
  const { summary } = await runToy(folder, { subjects, methods, seeds: [0] }, undefined, { registry });
  assert.equal(
    summary.failures.map(({ error }) => String(error)),
    [],
  );
  const marksOf = (id: string) =>
    summary.results.find(({ method }) => method.id === id)!.marks?.map(({ code }) => code);
  assert.equal(marksOf('toy-mean'), ['variance-in-few-rows']);
  assert.is(marksOf('toy-text'), undefined);
});

test('where few rows hold the variance of a target alone, methods that reconstruct it are marked', async () => {
  const registry = toyRegistry();
  const toy = await registry.get('subject', 'toy');
  const [site, target] = ['blocks.0.hook_resid_post', 'blocks.0.hook_mlp_out'];
  registry.add(
    {
      ...toy,
      id: 'toy-two',
      modelTypes: ['toy-two'],
      async load(place: string, options: { id: string }) {
        const subject = (await toy.load(place, options)) as LanguageModel;
        const forward: LanguageModel['forward'] = (tokens, given) => {
          const { captured } = subject.forward(tokens, given);
          // A massive activation after two equal tokens of one kind: one row in some hundred.
          const x = captured[site]!.dataSync<'float32'>().map((value, i) => {
            const at = Math.floor(i / 4);
            return tokens.ids[at] === 49 && tokens.ids[at - 1] === 49 ? 1000 : value;
          });
          return { captured: { ...captured, [target]: tf.tensor(x, captured[site]!.shape) } };
        };
        return { ...subject, forward, sites: [...subject.sites, { ...subject.sites[0]!, name: target }] };
      },
    },
    fileURLToPath(import.meta.url),
  );
  const task = await registry.get('task', 'toy-task');
  const rows = [{ axes: {}, metrics: { value: { value: 1, ci95: null, n: 1 } } }];
  registry.add({ ...task, id: 'toy-any', run: async () => ({ rows }) }, fileURLToPath(import.meta.url));
  const path = join(folder, 'two-sites');
  mkdirSync(path);
  writeFileSync(join(path, 'config.json'), '{"model_type":"toy-two"}');
  const training = { tokens: 256, batchSize: 64 };
  const methods = [{ id: 'toy-mean' }, { id: 'transcoder', options: { d_sae: 8, targetL0: 2, target }, training }];
  const subjects = [{ ...toySuite(folder).subjects[0]!, path, activations: { train: 60, test: 10 } }];
  const { summary, said } = await runToy(
    folder,
    { subjects, methods, tasks: [{ id: 'toy-any' }], seeds: [0] },
    undefined,
    { registry },
  );
  assert.equal(
    summary.failures.map(({ error }) => String(error)),
    [],
  );
  const own = summary.results.find(({ method }) => method.id === 'transcoder')!.marks ?? [];
  assert.match(
    own
      .filter(({ code }) => code === 'variance-in-few-rows')
      .map(({ message }) => message)
      .join('\n'),
    /^target blocks\.0\.hook_mlp_out: \d of \d+ training rows \(1 %\) hold \d+ % of the variance: .* not at the target/,
  );
  assert.is(said.filter((line) => line.includes('target blocks.0.hook_mlp_out: ')).length, 1);
});

test.run();
