/** @file Steering a language model whose every score can be worked out, and the embedded subjects. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ActivationSet,
  type Dataset,
  type FittedMethod,
  type Item,
  type JudgeDefinition,
  type LabelledActivations,
  type Subject,
  type TaskContext,
  type Tensor1D,
  type Tensor3D,
  tf,
} from '../harness/contract.ts';
import { createRng, packageRoot } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { checkedRows } from '../harness/results/rows.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import { judgeOn, taskTools } from '../harness/testing/task-tools.ts';
import { wordActivations, wordConcepts, wordDataset, wordItems } from '../harness/testing/word-data.ts';
import { oneHot, wordModel } from '../harness/testing/word-model.ts';
import clipFamily from '../models/subjects/clip.ts';
import llama from '../models/subjects/llama.ts';
import imageWorld from './datasets/image-world.ts';
import textWorld from './datasets/text-world.ts';
import datasetJudge from './judges/dataset.ts';
import type { FluencyScale } from './judges/parts/fluency.ts';
import type { SteeringOptions } from './steering/options.ts';
import task from './steering.ts';

const test = suite('tasks/steering');
test.before(async () => {
  await initBackend('wasm');
});

const OPTIONS: SteeringOptions = {
  concepts: 8,
  prompts: 4,
  factors: [0.25, 1, 2.5],
  extend: 0,
  interventions: ['add', 'clamp'],
  positions: 'all',
  positionCount: 4,
  documents: 4,
  maxNewTokens: 3,
  temperature: 0,
  calibration: 20,
  ...{ selection: 'auroc', randomLatent: false },
  ...{ images: 16, pictures: 2 },
  judge: 'dataset',
  judgeOptions: {},
};

interface Inputs {
  subject: Subject;
  site: string;
  dataset: Dataset;
  labelled: LabelledActivations;
  testItems: TaskContext<SteeringOptions>['testItems'];
  /** Default: those of the labelled items. */
  test?: ActivationSet;
  options?: Partial<SteeringOptions>;
  judge?: JudgeDefinition;
  otherJudges?: JudgeDefinition[];
}

async function run(inputs: Inputs, methods: FittedMethod[]) {
  const { subject, site, options, judge = datasetJudge, otherJudges = [], ...rest } = inputs;
  const context = {
    test: rest.labelled.activations,
    ...rest,
    options: { ...OPTIONS, ...options },
    subject,
    judge: judgeOn(rest.dataset, judge),
    otherJudges: otherJudges.map((other) => judgeOn(rest.dataset, other)),
    site: subject.sites.find(({ name }) => name === site)!,
    train: rest.labelled.activations,
    rng: createRng(0),
    seed: 0,
    progress: () => {},
  };
  assert.is(task.unavailable!(context), undefined);
  const before = tf.memory().numTensors;
  const prepared = await task.prepare!(context);
  const outcomes = [];
  for (const method of methods) {
    const given = { ...context, ...taskTools(method), prepared };
    const outcome = await task.run({ ...given, method: { ...method, id: 'fake', kind: 'sae' } });
    outcomes.push({ ...outcome, rows: checkedRows(outcome, task.metrics, 'steering') });
  }
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  return outcomes;
}

const wordInputs = (subject: Subject): Inputs => ({
  subject,
  site: 'resid',
  dataset: wordDataset,
  labelled: memoryLabelled(wordConcepts, wordActivations),
  testItems: wordItems,
});
const axis = (i: number): FittedMethod => ({
  d_in: 5,
  sparse: false,
  detector: () => ({
    direction: Float32Array.from(oneHot(i)),
    score: (x) => tf.squeeze(tf.slice(x, [0, i], [-1, 1]), [1]) as Tensor1D,
  }),
  dispose: () => {},
});
const cells = (row: { metrics: Record<string, { value: number | null }> }) =>
  Object.fromEntries(
    ['overall', 'concept', 'instruct', 'fluency', 'factor', 'win_rate'].map((name) => [name, row.metrics[name]!.value]),
  );

test('the factor that gives topic and concept is chosen; stronger ones lose the topic', async () => {
  const subject = wordModel();
  const [outcome] = await run(wordInputs(subject), [axis(3)]);
  const [row] = outcome!.rows;
  assert.is(outcome!.rows.length, 1, 'a direction cannot be clamped');
  assert.equal(row!.axes, { selection: 'detector', intervention: 'add' });
  assert.equal(cells(row!), { overall: 2, concept: 2, instruct: 2, fluency: 2, factor: 1, win_rate: 1 });
  assert.equal(outcome!.curves!['score-by-factor/add/concept']!.y, [0, 2, 2]);
  assert.equal(outcome!.curves!['score-by-factor/add/instruct']!.y, [2, 2, 0]);
  assert.equal(outcome!.curves!['score-by-factor/add/overall']!.y, [0, 2, 0]);
  const [concept] = outcome!.details!['detector/add'] as { scale: number; examples: { text: string }[] }[];
  assert.is(concept!.scale, 2);
  assert.is(concept!.examples[0]!.text, 'topic concept concept');
  assert.is(row!.metrics['flip_rate']!.value, null);
  // Unsteered 4; trials of 2 prompts at 3 factors; 2 prompts at the chosen one.
  assert.is(subject.generated(), 4 + 6 + 2);
});

test('a grid that ends below the factor that works: the search goes on beyond it, and says where it ends', async () => {
  const subject = wordModel();
  const grid = { factors: [0.5, 0.6], extend: 2 };
  const [outcome] = await run({ ...wordInputs(subject), options: grid }, [axis(3)]);
  const [{ tried }] = outcome!.details!['detector/add'] as [{ tried: { factor: number; overall: number }[] }];
  const best = tried.find(({ factor }) => factor === outcome!.rows[0]!.metrics['factor']!.value)!;
  assert.is(best.overall, Math.max(...tried.map(({ overall }) => overall)));
  assert.ok(outcome!.rows[0]!.metrics['at_end']!.value !== null);
  assert.equal(outcome!.curves!['score-by-factor/add/overall']!.x, grid.factors, 'curves show what all concepts met');
});

test('values by unit tell what each prompt adds to the error of each concept', async () => {
  const [outcome] = await run(wordInputs(wordModel()), [axis(3)]);
  const { samples } = outcome!.rows[0]!;
  assert.equal(
    samples!.sharedBy,
    samples!.values.map(() => [0, 0]),
  );
});

/** Rates 2 in all but for the rows that `misses` names, of which it says nothing. */
const gappy = (misses: (text: string) => boolean): JudgeDefinition => ({
  id: 'gappy',
  title: 'Gappy',
  version: 1,
  options: {},
  open: async () => ({
    description: 'leaves rows out',
    rate: async (rows) =>
      rows.map(({ text }) =>
        misses(text!)
          ? { concept: null, instruct: null, fluency: null, reason: 'no answer' }
          : { concept: 2, instruct: 2, fluency: 2 },
      ),
    dispose() {},
  }),
});

test('a missing rating is missing, never 0: a factor without ratings is not chosen, and means are over the rest', async () => {
  // What the strongest factor generates is not rated: 0 would end the search below it.
  const judge = gappy((text) => !text.startsWith('topic'));
  const [outcome] = await run({ ...wordInputs(wordModel()), judge }, [axis(3)]);
  assert.is(outcome!.rows[0]!.metrics['overall']!.value, 2);
  assert.is(outcome!.rows[0]!.metrics['overall']!.n, 1);
  const curve = outcome!.curves!['score-by-factor/add/overall']!;
  assert.equal(
    [curve.x, curve.y],
    [
      [0.25, 1],
      [2, 2],
    ],
  );
  assert.is((outcome!.details!['judge'] as { unrated: number }).unrated, 2);
});

test('a judge that rates nothing leaves empty cells with its reason', async () => {
  const [outcome] = await run({ ...wordInputs(wordModel()), judge: gappy(() => true) }, [axis(3)]);
  const { metrics, samples } = outcome!.rows[0]!;
  for (const name of ['overall', 'concept', 'factor', 'win_rate']) {
    assert.is(metrics[name]!.value, null, name);
    assert.is(metrics[name]!.reason, 'the judge gave no such rating: no answer', name);
  }
  assert.is(samples, undefined);
});

test('no steering: nothing is generated again, and it ties with itself', async () => {
  const subject = wordModel();
  const [outcome] = await run(wordInputs(subject), [
    { d_in: 5, sparse: false, detector: () => ({ direction: new Float32Array(5) }), dispose: () => {} },
  ]);
  assert.equal(outcome!.rows[0]!.axes['intervention'], 'none');
  assert.equal(cells(outcome!.rows[0]!), { overall: 0, concept: 0, instruct: 2, fluency: 2, factor: 0, win_rate: 0.5 });
  assert.is(subject.generated(), 4);
});

/** With held-out documents of several tokens. */
function documentInputs(subject: Extract<Subject, { type: 'lm' }>): Inputs {
  const tokenIds = wordItems.map(({ text }) => subject.tokenizer.encode(text!).ids);
  const rows = tokenIds.map((own) => own.map(oneHot));
  return { ...wordInputs(subject), test: memoryActivations(rows, { tokenIds }) };
}

test('what steering costs on held-out text stands beside its score', async () => {
  const idle = { ...axis(3), detector: () => ({ direction: new Float32Array(5) }) };
  const inputs = documentInputs(wordModel());
  const [steered, still] = (await run(inputs, [axis(3), idle])).map(({ rows }) => rows[0]!.metrics);
  assert.ok(steered!['perplexity_ratio']!.value !== 1 && steered!['kl']!.value! > 0);
  assert.equal([still!['perplexity_ratio']!.value, still!['kl']!.value], [1, 0]);
});

test('what a factor costs is computed once, whichever judges choose it', async () => {
  const counted = async (otherJudges: JudgeDefinition[]) => {
    let passes = 0;
    const model = wordModel();
    const forward: typeof model.forward = (...given) => {
      passes++;
      return model.forward(...given);
    };
    const [outcome] = await run({ ...documentInputs({ ...model, forward }), otherJudges }, [axis(3)]);
    return { passes, ratios: outcome!.rows.map(({ metrics }) => metrics['perplexity_ratio']!) };
  };
  const [one, two] = [await counted([]), await counted([{ ...datasetJudge, id: 'second' }])];
  assert.is.not(one.ratios[0]!.value, null);
  assert.equal(two.ratios, [one.ratios[0], one.ratios[0]]);
  assert.is(two.passes, one.passes);
});

test('a sparse dictionary is steered by its best latent, added and clamped', async () => {
  const dictionary: FittedMethod = {
    d_in: 5,
    d_sae: 5,
    sparse: true,
    encode: (x) => ({ kind: 'dense', values: tf.relu(x) }),
    decode: (codes) => tf.clone(codes.values),
    dispose: () => {},
  };
  const [outcome] = await run(wordInputs(wordModel()), [dictionary]);
  assert.equal(
    outcome!.rows.map(({ axes }) => axes),
    [
      { selection: 'auroc', intervention: 'add' },
      { selection: 'auroc', intervention: 'clamp' },
    ],
  );
  assert.equal(
    outcome!.rows.map((row) => cells(row)['overall']),
    [2, 2],
  );
  const [, clamp] = outcome!.rows.map(
    (_, i) => Object.values(outcome!.details!).filter(Array.isArray)[i] as { latent: number }[],
  );
  assert.is(clamp![0]!.latent, 3);
});

test('a method without directions gets an empty row with the reason', async () => {
  const [outcome] = await run(wordInputs(wordModel()), [{ d_in: 5, sparse: false, dispose: () => {} }]);
  const { overall } = outcome!.rows[0]!.metrics;
  assert.is(overall!.value, null);
  assert.match(overall!.reason!, /no directions/);
});

test('says why it cannot run', () => {
  const site = { name: 'text.embed', d: 2, modality: 'text', kind: 'pooled' } as const;
  const why = (context: object) => task.unavailable!(context as Parameters<NonNullable<typeof task.unavailable>>[0]);
  assert.match(why({ site, dataset: wordDataset })!, /imported/);
  assert.match(why({ site, dataset: wordDataset, subject: { type: 'lm' } })!, /no labelled concepts/);
  assert.match(why({ site, dataset: {}, labelled: {}, subject: { type: 'lm' } })!, /no prompts/);
  const mute = judgeOn({ ...wordDataset, judge: undefined }, datasetJudge);
  assert.match(why({ site, dataset: wordDataset, labelled: {}, subject: { type: 'lm' }, judge: mute })!, /no judge/);
  assert.match(why({ site, dataset: wordDataset, labelled: {}, subject: { type: 'clip' } })!, /vision tower/);
});

const folder = (id: string) => join(packageRoot, 'models/pretrained', id);
const trained = (id: string) => {
  const there = existsSync(join(folder(id), 'model.safetensors'));
  if (!there) console.log(`skipped: ${id} is not trained yet`);
  return there ? test : test.skip;
};

/** Activations of items at a site, the first position special at token sites. */
async function collect(capture: (from: number, to: number) => Promise<Tensor3D>, items: number, special: number[]) {
  const rows: number[][][] = [];
  for (let from = 0; from < items; from += 32) {
    const x = await capture(from, Math.min(from + 32, items));
    rows.push(...((await x.array()) as number[][][]));
    x.dispose();
  }
  return memoryActivations(rows, { special });
}

/** The difference of means of positives and negatives over all positions. */
function meanDifference({ set, activations }: LabelledActivations, data: Float32Array): FittedMethod {
  const { d_in, bounds } = activations;
  const directions = set.concepts.map((_, concept) => {
    const sums = { positive: new Float64Array(d_in), negative: new Float64Array(d_in) };
    const counts = { positive: 0, negative: 0 };
    for (const { item, split, role, concept: of } of set.examples) {
      if (of !== concept || split !== 'train' || role === 'hard-negative') continue;
      for (let row = bounds[item]!; row < bounds[item + 1]!; row++, counts[role]++) {
        for (let j = 0; j < d_in; j++) sums[role][j]! += data[row * d_in + j]!;
      }
    }
    const difference = sums.positive.map((sum, j) => sum / counts.positive - sums.negative[j]! / counts.negative);
    const length = Math.hypot(...difference);
    return Float32Array.from(difference, (value) => value / length);
  });
  const place = (id: string) => set.concepts.findIndex((concept) => concept.id === id);
  return { d_in, sparse: false, detector: ({ id }) => ({ direction: directions[place(id)]! }), dispose: () => {} };
}

trained('tiny-clip')('tiny-clip: a difference of means flips answers, a random direction does not', async () => {
  const clip = await clipFamily.load(folder('tiny-clip'), { id: 'tiny-clip' });
  if (clip.type !== 'clip') throw new Error('unexpected');
  const images = await imageWorld.open({ train: 12, eval: 2 }, { seed: 0, baseDir: '' });
  const set = await images.concepts!({ concepts: 5 });
  const testItems = await images.corpus('test', 100);
  const captureOf = (items: Item[]) => async (from: number, to: number) => {
    const pixels = await clip.preprocess(items.slice(from, to).map(({ image }) => image!));
    const { captured } = clip.forwardImage(pixels, { capture: ['vision.embed'] });
    tf.dispose(pixels);
    return captured['vision.embed']!;
  };
  const activations = await collect(captureOf(set.items), set.items.length, []);
  const labelled = memoryLabelled(set, activations);
  const data = await activations.read(0, activations.n);
  const rng = createRng(5);
  const noise = Float32Array.from({ length: activations.d_in }, () => rng.normal() / Math.sqrt(activations.d_in));
  const random: FittedMethod = { ...axis(0), d_in: activations.d_in, detector: () => ({ direction: noise }) };
  const inputs = {
    subject: clip,
    site: 'vision.embed',
    dataset: images,
    labelled,
    testItems,
    test: await collect(captureOf(testItems), testItems.length, []),
  };
  const [steered, chance] = await run({ ...inputs, options: { factors: [0.5, 1, 1.5] } }, [
    meanDifference(labelled, data),
    random,
  ]);
  const { flip_rate, overall, preservation, concept } = steered!.rows[0]!.metrics;
  assert.ok(flip_rate!.value! > 0.4 && preservation!.value! > 0.5, `${flip_rate!.value} ${preservation!.value}`);
  assert.ok(overall!.value! > chance!.rows[0]!.metrics['overall']!.value! + 0.5);
  assert.is(concept!.value, null);
  clip.dispose();
});

trained('tiny-lm-planted')('fluency is calibrated, and random numbers do not depend on the batch', async () => {
  const lm = await llama.load(folder('tiny-lm-planted'), { id: 'tiny-lm-planted' });
  if (lm.type !== 'lm') throw new Error('unexpected');
  const documents = await textWorld.open({ train: 4, eval: 2 }, { seed: 0, baseDir: '' });
  const set = await documents.concepts!({ concepts: 2 });
  const site = 'blocks.1.hook_resid_post';
  // One text a pass: a row is a position, and there is no padding.
  const rows: number[][][] = [];
  for (const { text } of set.items) {
    const x = tf.tidy(() => lm.forward(lm.tokenize([text!]), { capture: [site], output: false }).captured[site]!);
    rows.push((await x.array())[0]!);
    x.dispose();
  }
  const labelled = memoryLabelled(set, memoryActivations(rows, { special: [0] }));
  const data = await labelled.activations.read(0, labelled.activations.n);
  const options = { prompts: 2, factors: [0.5], maxNewTokens: 20, temperature: 1, calibration: 24 };
  const inputs = {
    subject: lm,
    site,
    dataset: documents,
    labelled,
    testItems: await documents.corpus('test', 24),
    options,
  };
  const method = meanDifference(labelled, data);
  const [first, second] = await run(inputs, [method, method]);
  assert.equal(first!.rows, second!.rows);
  const { fluency } = first!.details!['judge'] as { fluency: FluencyScale };
  const { separation, tokens, fine, passable } = fluency.levels.at(-1)!;
  assert.is(tokens, 20);
  assert.ok(separation.realFromNonsense > 0.95 && separation.realFromErrors > 0.8);
  assert.ok(fine < passable);
  lm.dispose();
});

test.run();
