/** @file Attribute pairs on a toy CLIP whose activations are the pixels: oracle, noise, split and leaking latents, bad pairs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../harness/activations/activation-set.ts';
import {
  type AttributePair,
  type Clip,
  type Dataset,
  type FittedMethod,
  type Item,
  type Tensor2D,
  tf,
} from '../harness/contract.ts';
import { sha256 } from '../harness/io/hash.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { checkedRows } from '../harness/results/rows.ts';
import { refusal, rejection } from '../harness/testing/failing.ts';
import { taskTools } from '../harness/testing/task-tools.ts';
import { keptPositions } from './attribute-pairs/images.ts';
import { pairResponses } from './attribute-pairs/responses.ts';
import task from './attribute-pairs.ts';

const test = suite('tasks/attribute-pairs');
test.before(async () => {
  await initBackend('wasm');
});

const ATTRIBUTES = { colour: ['blue', 'green', 'red'], shape: ['ring', 'star'], size: ['large', 'small'] };
const VALUES = Object.entries(ATTRIBUTES).flatMap(([name, values]) => values.map((value) => `${name}=${value}`));
const D = VALUES.length;
type Labels = Record<string, string>;

/** The image of an item: a row of pixels, one a value, red where the item has it; the rest tells images apart. */
function itemOf(id: string, labels: Labels): Item {
  const flags = VALUES.map((value) => (labels[value.split('=')[0]!] === value.split('=')[1] ? 255 : 0));
  const own = Buffer.from(sha256(id), 'hex');
  const data = Uint8Array.from(flags.flatMap((flag, i) => [flag, own[i]!, own[D + i]!]));
  return { id, labels, image: { width: D, height: 1, data } };
}

const rng = createRng('toy pairs');
const anything = (): Labels =>
  Object.fromEntries(Object.entries(ATTRIBUTES).map(([name, values]) => [name, rng.choice(values)]));
const CORPUS = Array.from({ length: 300 }, (_, i) => itemOf(`train-${i}`, anything()));
const pairOf = (attribute: keyof typeof ATTRIBUTES, i: number): AttributePair => {
  const from = anything();
  const other = rng.choice(ATTRIBUTES[attribute].filter((value) => value !== from[attribute]));
  const id = `${attribute}-${i}`;
  return {
    attribute,
    before: itemOf(`${id}-before`, from),
    after: itemOf(`${id}-after`, { ...from, [attribute]: other }),
  };
};
const PAIRS = (['colour', 'shape', 'size'] as const).flatMap((attribute) =>
  Array.from({ length: 20 }, (_, i) => pairOf(attribute, i)),
);

const pixelsOf = (items: readonly Item[]) =>
  Float32Array.from(
    items.flatMap(({ image }) => [...(image as { data: Uint8Array }).data].filter((_, i) => i % 3 === 0)),
    (byte) => byte / 255,
  );
const clip = {
  ...{ type: 'clip', id: 'toy', family: 'clip' },
  preprocess: async (images: { data: Uint8Array }[]) =>
    tf.tensor4d(Float32Array.from(images.flatMap(({ data }) => [...data])), [images.length, 1, D, 3]),
  forwardImage: (pixels: ReturnType<typeof tf.tensor4d>) => ({
    captured: { embed: tf.tidy(() => tf.div(tf.unstack(pixels, 3)[0]!, 255)) },
  }),
} as unknown as Clip;
const site = { name: 'embed', d: D, modality: 'image', kind: 'pooled' } as const;
const dataset: Dataset = {
  ...{ id: 'toy', modality: 'image', fingerprint: 'x' },
  corpus: async (_split, n) => CORPUS.slice(0, n),
  attributePairs: async () => PAIRS,
};

type Encode = (x: Tensor2D) => Tensor2D;
async function run(encode: Encode, { on = dataset, sparse = true, d_sae = D, options = {}, more = {} } = {}) {
  const method: FittedMethod = {
    ...{ d_in: D, d_sae, sparse, dispose() {} },
    encode: (x) => ({ kind: 'dense', values: tf.tidy(() => encode(x)) }),
  };
  const train = memorySet(pixelsOf(CORPUS), D);
  const context = {
    options: { images: 250, pairs: 20, ...options },
    ...{ dataset: on, subject: clip, site, train, test: train, testItems: CORPUS, seed: 0, progress() {} },
    rng: createRng(0),
    method: { ...method, id: 'toy', kind: 'sae' },
    ...taskTools(method),
    ...more,
  } as unknown as Parameters<typeof task.run>[0];
  const before = tf.memory().numTensors;
  const prepared = await task.prepare!(context);
  const outcome = await task.run({ ...context, prepared });
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  const rows = checkedRows(outcome, task.metrics, 'attribute-pairs');
  const cell = (name: string, threshold = 'trained', matching = 'annotations') =>
    rows.find(({ axes }) => axes['threshold'] === threshold && axes['matching'] === matching)!.metrics[name]!.value!;
  return { rows, cell, outcome };
}

const near = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('the true dictionary scores 1; matched to the annotations of other images it is near chance', async () => {
  const { cell, rows } = await run((x) => tf.clone(x));
  for (const threshold of ['fires', 'trained']) {
    near(cell('pair_f1', threshold), 1);
    near(cell('tapascore', threshold), 2);
    near(cell('tapascore_published', threshold), 2);
    near(cell('stay', threshold), 0);
    near(cell('match_f1', threshold), 1);
    near(cell('coalition', threshold), 1);
    assert.ok(cell('pair_f1', threshold, 'shuffled') < 0.4);
    assert.ok(Math.abs(cell('tapascore', threshold, 'shuffled')) < 0.7);
  }
  assert.equal(
    rows.map(({ control }) => control === true),
    [false, false, true, true],
  );
  assert.is(rows[0]!.samples!.values.length, PAIRS.length);
  assert.is(rows[0]!.samples!.ids![21], 'shape 21');
});

test('latents in another order, and of any scale, change nothing', async () => {
  const order = [3, 1, 6, 0, 5, 2, 4];
  const mixed: Encode = (x) => tf.relu(tf.sub(tf.matMul(x, W), 0.3)) as Tensor2D;
  const W = tf.tensor2d(createRng('mix').fillNormal(new Float32Array(D * D)), [D, D]);
  const scale = tf.tensor2d([[1, 10, 0.1, 3, 100, 1, 0.5]]);
  const [plain, moved, scaled] = [
    await run(mixed),
    await run((x) => tf.gather(mixed(x), order, 1)),
    await run((x) => tf.mul(mixed(x), scale) as Tensor2D),
  ];
  tf.dispose([W, scale]);
  const values = ({ rows }: typeof plain) =>
    rows.map(({ metrics }) => Object.entries(metrics).map(([, { value }]) => value));
  assert.equal(values(moved), values(plain));
  assert.equal(values(scaled), values(plain));
});

test('codes that know nothing of the image are at chance, signed or not', async () => {
  const noise = createRng('noise');
  const width = 64;
  const random: Encode = (x) =>
    tf.tensor2d(noise.fillNormal(new Float32Array(x.shape[0] * width)), [x.shape[0], width]);
  for (const sparse of [true, false]) {
    const { cell } = await run((x) => (sparse ? (tf.relu(tf.sub(random(x), 1)) as Tensor2D) : random(x)), {
      ...{ sparse, d_sae: width },
    });
    for (const threshold of ['fires', 'trained']) {
      assert.ok(Math.abs(cell('tapascore', threshold)) < 0.3, `${cell('tapascore', threshold)}`);
      assert.ok(cell('pair_f1', threshold) < 0.3, `${cell('pair_f1', threshold)}`);
    }
  }
});

test('a value split among two latents is matched to both, a negated latent to its value', async () => {
  // In place of `colour=red` (place 2), red rings and red stars; `size=small` (6) only as its negation.
  const split: Encode = (x) => {
    const columns = tf.split(x, D, 1) as Tensor2D[];
    const [red, ring, star, small] = [columns[2]!, columns[3]!, columns[4]!, columns[6]!];
    return tf.concat(
      [...columns.slice(0, 2), ...columns.slice(3, 6), tf.mul(red, ring), tf.mul(red, star), tf.neg(small)],
      1,
    ) as Tensor2D;
  };
  const { cell, outcome } = await run(split, { sparse: false, d_sae: D + 1 });
  near(cell('pair_f1'), 1);
  near(cell('stay'), 0);
  near(cell('coalition'), (6 + 2) / 7);
  const { values } = outcome.details!['trained'] as {
    values: { value: string; latents: { latent: number; sign: number }[] }[];
  };
  assert.equal(values[2]!.latents.map(({ latent }) => latent).sort(), [5, 6]);
  // Large is where small is not: the negation of one latent, or the other itself.
  assert.is(values[6]!.value, 'size=small');
});

test('a latent that also fires faintly elsewhere fails above 0 and not at a threshold', async () => {
  const leaky: Encode = (x) => tf.add(x, 0.1) as Tensor2D;
  const { cell } = await run(leaky);
  near(cell('pair_f1', 'fires'), 0);
  near(cell('tapascore_published'), 0);
  near(cell('pair_f1'), 1);
});

test('responses of a pair by hand', () => {
  // Values 0, 1 of the attribute that changes, 2 and 3 of others; latents of the same numbers, 9 belongs to 0 and 1.
  const matched = [[0, 9], [1, 9], [2], [3]].map((latents) =>
    latents.map((candidate) => ({ candidate, threshold: 0 })),
  );
  const before = new Set([0, 9, 2]);
  const after = new Set([1, 9, 3]);
  const speaks = (image: number, latents: readonly { candidate: number }[], without?: ReadonlySet<number>) =>
    latents.some(({ candidate }) => !without?.has(candidate) && (image === 0 ? before : after).has(candidate));
  const [response] = pairResponses([{ attribute: 'a', removed: 0, added: 1, kept: [2, 3] }], matched, speaks);
  // The shared latent holds both values up on both images: no answer of theirs, wrong ones of 2 and 3. Without it both are right.
  assert.equal(response, { added: 1, removed: -1, stay: 1, f1: 0 });
  after.delete(9);
  // Now value 0 goes down and 1 stays up: 1 right of 3 answers, 2 wanted.
  const [second] = pairResponses([{ attribute: 'a', removed: 0, added: 1, kept: [2] }], matched, speaks);
  assert.equal(second, { added: 1, removed: -1, stay: 1, f1: 2 / 5 });
});

test('fewer images than asked for, and a method without codes', async () => {
  const { cell } = await run((x) => tf.clone(x), { options: { images: 10_000 } });
  near(cell('pair_f1'), 1);
});

test('an abort comes through while the images of pairs are read', async () => {
  const controller = new AbortController();
  let told = 0;
  const progress = () => {
    told++;
    controller.abort(new Error('enough'));
  };
  const before = tf.memory().numTensors;
  const stopped = run((x) => tf.clone(x), { more: { progress, signal: controller.signal } });
  assert.match(String(await rejection(stopped)), /enough/);
  assert.equal([told, tf.memory().numTensors], [1, before]);
});

test('a dataset, subject or site that has no pairs to answer is told of', () => {
  const { attributePairs: _pairs, ...without } = dataset;
  const reason = (context: object) => task.unavailable!({ dataset, subject: clip, site, ...context } as never);
  assert.is(reason({}), undefined);
  assert.is(
    reason({ dataset: without }),
    'the dataset toy makes no pairs of items that differ in one attribute (attributePairs)',
  );
  assert.match(reason({ subject: undefined })!, /needs a CLIP/);
  assert.match(reason({ site: { ...site, modality: 'text' } })!, /vision tower/);
});

test('images of pairs have the positions that count in every image; a filter by norm, of others in each, is refused', async () => {
  const set = (...keep: number[]) => ({ bounds: Uint32Array.of(0, 3, 6), keep: Uint8Array.from(keep) });
  assert.equal(keptPositions(set(0, 1, 1, 0, 1, 1)), [1, 2]);
  assert.match(
    await refusal(() => keptPositions(set(0, 1, 1, 1, 0, 1))),
    /expected a filter that leaves out the same positions of every image \(first=1\); found one by norm/,
  );
});

test('pairs that are none are refused in one line', async () => {
  const encode: Encode = (x) => tf.clone(x);
  const refused = (pairs: AttributePair[]) =>
    refusal(() => run(encode, { on: { ...dataset, attributePairs: async () => pairs } }));
  const [good, second] = [PAIRS[0]!, PAIRS[1]!];
  assert.match(await refused([]), /dataset toy: expected at least two pairs .* found 0$/);
  const same = { ...good, after: good.before };
  assert.match(await refused([second, same]), /expected labels that differ in 'colour' alone, found no difference/);
  const both = { ...good, after: itemOf('x', { ...good.after.labels, shape: 'moon' }) };
  assert.match(await refused([second, both]), /found 'colour', 'shape'/);
  assert.match(await refused([second, { ...good, attribute: 'size' }]), /differ in 'size' alone, found 'colour'/);
  const { labels: _labels, ...bare } = good.after;
  assert.match(
    await refused([second, { ...good, after: bare }]),
    /differ in 'colour' alone, found 'colour', 'shape', /,
  );
  const { image: _image, ...blind } = good.after;
  assert.match(await refused([second, { ...good, after: blind }]), /'colour-0-after': expected an image, found none/);
  const still = { ...good, after: { ...good.after, image: { ...good.before.image! } } };
  assert.match(await refused([second, still]), /'colour-0-after': expected two images, found the same one twice$/);
  assert.match(
    await refused([good, second, { ...good }]),
    /'colour-0-after': expected each pair once, found it twice$/,
  );
  const back = { ...good, before: good.after, after: good.before };
  assert.match(await refused([good, second, back]), /expected each pair once/);
  // The second is beyond the 250 that latents are matched on; dictionaries are trained on it too.
  for (const id of ['train-3', 'train-280']) {
    const leaked = { ...good, before: { ...good.before, id } };
    assert.match(
      await refused([second, leaked]),
      new RegExp(`item '${id}' of a pair: expected an image that is held out`),
    );
  }
  const copied = { ...good, before: { ...good.before, image: { ...CORPUS[280]!.image! } } };
  assert.match(
    await refused([second, copied]),
    /item 'colour-0-before' of a pair: expected an image that is held out, found it in the training split as 'train-280'$/,
  );
});

test('pairs in another order change nothing', async () => {
  const values = async (pairs: AttributePair[]) => {
    const { rows } = await run((x) => tf.add(x, 0.1) as Tensor2D, {
      on: { ...dataset, attributePairs: async () => pairs },
    });
    return rows.flatMap(({ metrics }) => Object.values(metrics).flatMap(({ value, ci95 }) => [value, ...(ci95 ?? [])]));
  };
  const [one, other] = [await values(PAIRS), await values(PAIRS.toReversed())];
  one.forEach((value, i) => {
    near(other[i]!, value!);
  });
});

test('labels that no training image has: of all values a refusal, of one a mark', async () => {
  const labelled = (keep: (attribute: string, value: string) => boolean): Dataset => ({
    ...dataset,
    corpus: async (_split, n) =>
      CORPUS.slice(0, n).map((item) => ({
        ...item,
        labels: Object.fromEntries(Object.entries(item.labels!).filter(([name, value]) => keep(name, value))),
      })),
  });
  const oracle: Encode = (x) => tf.clone(x);
  assert.match(
    await refusal(() => run(oracle, { on: labelled(() => false) })),
    /dataset toy: expected training images with labels such as colour=blue, found none among 250$/,
  );
  assert.match(
    await refusal(() => run(oracle, { on: { ...dataset, corpus: async () => CORPUS.slice(0, 100) } })),
    /expected the 250 training images whose activations there are, found 100$/,
  );
  const { outcome, cell } = await run(oracle, { on: labelled((_, value) => value !== 'green') });
  assert.equal(outcome.marks, [
    {
      code: 'values-not-shown',
      message: 'No latent can be matched to colour=green: none of 250 training images shows it.',
    },
  ]);
  assert.ok(cell('pair_f1') < 1);
  assert.equal((await run(oracle)).outcome.marks, []);
});

test.run();
