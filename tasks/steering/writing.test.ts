/** @file What the steering task has judged: texts that a method writes itself or asks for, from prompts of each concept's own. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Dataset, type FittedMethod, tf } from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { checkedRows } from '../../harness/results/rows.ts';
import { memoryLabelled } from '../../harness/testing/activations.ts';
import { judgeOn, taskTools } from '../../harness/testing/task-tools.ts';
import { wordActivations, wordConcepts, wordDataset, wordItems } from '../../harness/testing/word-data.ts';
import { oneHot, wordModel } from '../../harness/testing/word-model.ts';
import datasetJudge from '../judges/dataset.ts';
import task from '../steering.ts';

const test = suite('tasks/steering/writing');
test.before(async () => {
  await initBackend('wasm');
});

const OPTIONS = {
  ...{ concepts: 8, prompts: 4, factors: [1], extend: 0, interventions: ['add' as const], maxNewTokens: 3 },
  ...{
    temperature: 0,
    calibration: 20,
    images: 16,
    pictures: 2,
    judge: 'dataset',
    judgeOptions: {},
    selection: 'auroc' as const,
    randomLatent: false,
    positions: 'all' as const,
    positionCount: 4,
    documents: 8,
  },
};

/** The outcome of a method, and the model it was tried on. */
async function run(method: FittedMethod, dataset = wordDataset, concepts = wordConcepts, more = {}) {
  const subject = wordModel();
  const activations = wordActivations;
  const context = {
    ...{ options: { ...OPTIONS, ...more }, subject, dataset, labelled: memoryLabelled(concepts, activations) },
    ...{ test: activations, train: activations, rng: createRng(0), seed: 0, progress: () => {} },
    site: { name: 'resid', d: 5, modality: 'text' as const, kind: 'tokens' as const },
    judge: judgeOn(dataset, datasetJudge),
    testItems: wordItems,
  };
  const prepared = await task.prepare!(context);
  const tools = taskTools(method);
  const outcome = await task.run({ ...context, ...tools, prepared, method: { ...method, id: 'w', kind: 'baseline' } });
  return { outcome, subject };
}

test('its own texts are judged, cut as generated ones are; nothing is steered', async () => {
  const asked = new Set<string>();
  const method: FittedMethod = {
    d_in: 5,
    sparse: false,
    write({ label }, { text }) {
      asked.add(`${text}, ${label}`);
      return 'topic concept concept concept topic';
    },
    dispose: () => {},
  };
  const { outcome, subject } = await run(method);
  const [row, ...others] = checkedRows(outcome, task.metrics, 'steering');
  assert.is(others.length, 0);
  assert.equal(row!.axes, { selection: 'written', intervention: 'none' });
  const values = ['overall', 'concept', 'instruct', 'fluency', 'factor'].map((name) => row!.metrics[name]!.value);
  assert.equal(values, [2, 2, 2, 2, 0]);
  assert.equal([...asked], ['go, concept']);
  const [concept] = outcome.details!['written/none'] as { examples: { text: string }[] }[];
  assert.is(concept!.examples[0]!.text.trim(), 'topic concept concept');
  assert.is(subject.generated(), 4, 'the unsteered texts alone');
});

test('a method that asks: the subject generates from its prompt, and the text stands after the prompt as it is', async () => {
  const { outcome, subject } = await run({
    d_in: 5,
    sparse: false,
    // After `concept` the model says `concept` for ever.
    ask: ({ label }, { text }) => `${text} ${label}`,
    dispose: () => {},
  });
  const [row, ...others] = checkedRows(outcome, task.metrics, 'steering');
  assert.is(others.length, 0);
  assert.equal(row!.axes, { selection: 'asked', intervention: 'none' });
  assert.is(row!.metrics['concept']!.value, 2);
  assert.is(row!.metrics['instruct']!.value, 0);
  assert.is(row!.metrics['factor']!.value, 0);
  const [concept] = outcome.details!['asked/none'] as { examples: { text: string; prompt: string }[] }[];
  assert.is(concept!.examples[0]!.prompt, 'go');
  assert.is(concept!.examples[0]!.text.trim(), 'concept concept concept');
  assert.is(subject.generated(), 8, 'the unsteered texts, and those of either half of the prompts');
});

test('a dictionary beside a random latent: a row of its own, a control, with its own curve', async () => {
  const dictionary: FittedMethod = {
    d_in: 5,
    d_sae: 5,
    sparse: true,
    encode: (x) => ({ kind: 'dense', values: tf.relu(x) }),
    decode: (codes) => tf.clone(codes.values),
    dispose: () => {},
  };
  const given = [dictionary, wordDataset, wordConcepts] as const;
  const { outcome } = await run(...given, { randomLatent: true });
  const rows = checkedRows(outcome, task.metrics, 'steering');
  assert.equal(
    rows.map(({ axes, control }) => [axes['selection'], axes['intervention'], control]),
    [
      ['auroc', 'add', undefined],
      ['random', 'add', true],
    ],
  );
  // The other latent that fires on training items makes `other` likelier: never the concept.
  assert.equal(
    rows.map(({ metrics }) => metrics['concept']!.value),
    [2, 0],
  );
  assert.equal(outcome.curves!['shown-by-factor/add']!.y, [1]);
  assert.equal(outcome.curves!['shown-by-factor/random-latent']!.y, [0]);
  const alone = (await run(...given)).outcome;
  assert.equal(alone.rows, outcome.rows.slice(0, 1), 'what stands beside it changes nothing');
});

test('prompts of each concept’s own: written from, judged and told as such; the same ones are one item of the interval', async () => {
  const concepts = ['c', 'd', 'e'].map((id) => ({ id, label: 'concept' }));
  const set = {
    ...wordConcepts,
    concepts,
    examples: concepts.flatMap((_, concept) => wordConcepts.examples.map((each) => ({ ...each, concept }))),
  };
  const judged: string[] = [];
  const own: Dataset = {
    ...wordDataset,
    prompts: undefined,
    conceptPrompts: async ({ id }, n) =>
      Array.from({ length: n }, (_, i) => ({ id: `${id === 'e' ? 'd' : id}${i}`, text: 'go', topic: 'topic' })),
    judge: {
      ...wordDataset.judge!,
      instruction(_, { id }) {
        judged.push(id);
        return 2;
      },
    },
  };
  const direction = Float32Array.from(oneHot(3));
  const method: FittedMethod = { d_in: 5, sparse: false, detector: () => ({ direction }), dispose: () => {} };
  const { outcome } = await run(method, own, set);
  assert.is(outcome.rows[0]!.samples!.values.length, 3);
  assert.equal([...new Set(judged.map((id) => id[0]))].sort(), ['c', 'd']);
  // Two concepts report on two prompts each that the third shares with one of them.
  assert.is(outcome.rows[0]!.samples!.sharedBy![0]!.length, 4);
});

test.run();
