/** @file Across modalities: exact agreement and AUROC, the three alignments, the controls, and empty cells. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Clip,
  type FittedMethod,
  type Item,
  type TaskContext,
  type TaskOutcome,
  type TokenBatch,
  tf,
} from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { checkedRows } from '../harness/results/rows.ts';
import { memoryActivations } from '../harness/testing/activations.ts';
import { taskTools } from '../harness/testing/task-tools.ts';
import {
  captionAurocs,
  firingAgreement,
  firingCorrelation,
  latentColumns,
  scoredLatents,
} from './cross-modal/agreement.ts';
import task from './cross-modal.ts';

const test = suite('tasks/cross-modal');
test.before(async () => {
  await initBackend('cpu');
});

const D = 4;
const ITEMS = 80;
const item = (i: number): Item => ({ id: `${i}`, caption: `${i}` });

/** Item i shows feature i mod D: its image is that axis and a mean, its caption the same, smaller and elsewhere. */
const image = (i: number) => Array.from({ length: D }, (_, c) => (c === i % D ? 4 : 0) + 3);
const caption = (i: number) => image(i).map((value) => (value - 3) * 0.25 - 5);

const clip = {
  type: 'clip',
  projectionDim: D,
  tokenize: (texts: string[]) => ({
    n: texts.length,
    length: 1,
    ids: Int32Array.from(texts, Number),
    mask: new Uint8Array(),
  }),
  forwardText: ({ ids }: TokenBatch) => ({ embeds: tf.tensor2d(Array.from(ids, caption)), captured: {} }),
} as unknown as Clip;

/** Fires on what lies above 5 along each axis. */
const sparse: FittedMethod = {
  ...{ d_in: D, d_sae: D, sparse: true, dispose: () => {} },
  encode: (x) => ({ kind: 'dense', values: tf.relu(tf.sub(x, 5)) }),
};

async function run(
  method: FittedMethod,
  items = Array.from({ length: ITEMS }, (_, i) => item(i)),
): Promise<TaskOutcome> {
  const set = memoryActivations(items.map((_, i) => [image(i)]));
  const context = {
    options: { rate: 0.25, support: 10, trainCaptions: 1000 },
    subject: clip,
    dataset: { corpus: async () => items },
    site: { name: 'vision.embed' },
    ...{ test: set, train: set, testItems: items },
    ...{ rng: createRng(0), seed: 0, progress: () => {} },
    method: { ...method, id: 'fake', kind: 'sae' },
  } as unknown as TaskContext<
    { rate: number; support: number; trainCaptions: number },
    { gap: number; spread: number }
  >;
  const before = tf.memory().numTensors;
  const prepared = await task.prepare!(context);
  const outcome = await task.run({ ...context, ...taskTools(method), prepared });
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  return { ...outcome, rows: checkedRows(outcome, task.metrics, 'cross-modal') };
}

const cell = (outcome: TaskOutcome, alignment: string, control: string, name: string) =>
  outcome.rows.find(({ axes }) => axes['alignment'] === alignment && axes['control'] === control)!.metrics[name]!.value;

test('captions that are images in small and elsewhere agree once both are mended, and not before', async () => {
  const outcome = await run(sparse);
  assert.is(cell(outcome, 'spread', 'none', 'firing_agreement'), 1);
  assert.is(cell(outcome, 'spread', 'none', 'caption_auroc'), 1);
  assert.is(cell(outcome, 'means', 'none', 'firing_agreement'), 0, 'too small to fire');
  assert.is(cell(outcome, 'none', 'none', 'caption_rate'), 0);
  assert.ok(Math.abs(cell(outcome, 'none', 'none', 'spread')! - 0.25) < 1e-6);
  // The means are 8.75 apart on each of 4 axes, and images lie √12 from theirs.
  assert.ok(Math.abs(cell(outcome, 'none', 'none', 'gap')! - (8.75 * 2) / Math.sqrt(12)) < 1e-5);
  const shuffled = cell(outcome, 'spread', 'shuffled', 'firing_agreement')!;
  assert.ok(shuffled < 0.45, `${shuffled}`);
  const above = cell(outcome, 'spread', 'none', 'agreement_above_chance')!;
  assert.ok(Math.abs(above - (1 - shuffled)) < 1e-9);
  assert.is(cell(outcome, 'spread', 'other-latent', 'firing_agreement'), 0);
  assert.ok(Math.abs(cell(outcome, 'spread', 'none', 'firing_correlation')! - 1) < 1e-9);
  assert.ok(Math.abs(cell(outcome, 'spread', 'shuffled', 'firing_correlation')!) < 0.3);
  // Whatever fires on the next feature is silent on this one: φ of two exclusive quarters.
  assert.ok(Math.abs(cell(outcome, 'spread', 'other-latent', 'firing_correlation')! + 1 / 3) < 1e-9);
  assert.is(cell(outcome, 'means', 'none', 'firing_correlation'), 0, 'no caption fires');
  const { samples } = outcome.rows[0]!;
  assert.ok(Math.abs(samples!.values.reduce((sum, value) => sum + value, 0) / ITEMS - 1) < 1e-9);
});

test('dense units fire on their highest share, whatever the alignment', async () => {
  const dense: FittedMethod = { ...sparse, sparse: false, encode: (x) => ({ kind: 'dense', values: tf.clone(x) }) };
  const outcome = await run(dense);
  for (const alignment of ['spread', 'means', 'none']) {
    assert.is(cell(outcome, alignment, 'none', 'caption_auroc'), 1);
  }
});

test('no codes, no captions, and latents that fire on too few images are empty cells', async () => {
  const { encode: _, ...noCodes } = sparse;
  assert.match((await run(noCodes)).rows[0]!.metrics['caption_auroc']!.reason!, /has no codes/);
  const silent = Array.from({ length: ITEMS }, (_, i) => ({ id: `${i}` }));
  assert.match((await run(sparse, silent)).rows[0]!.metrics['caption_auroc']!.reason!, /not every item has a caption/);
  const few = await run(
    sparse,
    Array.from({ length: 20 }, (_, i) => item(i)),
  );
  assert.match(few.rows[0]!.metrics['agreement_above_chance']!.reason!, /no latent fires on enough images/);
  const one: FittedMethod = {
    ...sparse,
    d_sae: 1,
    encode: (x) => ({ kind: 'dense', values: tf.relu(tf.sub(tf.slice(x, [0, 0], [-1, 1]), 5)) }),
  };
  const alone = await run(one);
  assert.ok(Math.abs(cell(alone, 'spread', 'none', 'firing_agreement')! - 0.25) < 1e-9);
  const other = alone.rows.find(({ axes }) => axes['control'] === 'other-latent')!.metrics['firing_agreement']!;
  assert.match(other.reason!, /one latent alone is scored/);
  const why = (more: object) => task.unavailable!(more as Parameters<NonNullable<typeof task.unavailable>>[0]);
  assert.match(why({ subject: { type: 'image-encoder' } })!, /needs a CLIP/);
  assert.match(
    why({ subject: clip, site: { name: 'vision.blocks.0.hook_resid_post' } })!,
    /needs the site vision.embed/,
  );
  const dataset = { modality: 'image' };
  assert.is(why({ subject: clip, site: { name: 'vision.embed' }, dataset }), undefined);
});

test('of independent codes the correlation is 0 at every firing rate, of the same codes 1; agreement grows with the rate', () => {
  const [items, latents] = [1500, 24];
  const all = Array.from({ length: latents }, (_, latent) => latent);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const draw = (rate: number, name: string) => {
    const rng = createRng(`${name} ${rate}`);
    const fires = all.map(() => Uint8Array.from({ length: items }, () => (rng.uniform() < rate ? 1 : 0)));
    return { items, values: fires.map((column) => Float32Array.from(column)), fires };
  };
  const rates = [
    [0.01, 0.01],
    [0.05, 0.05],
    [0.3, 0.3],
    [0.3, 0.01],
  ] as const;
  const agreements = rates.map(([imageRate, captionRate]) => {
    const [images, captions] = [draw(imageRate, 'images'), draw(captionRate, 'captions')];
    const phi = mean(firingCorrelation(images, captions, all));
    // Each latent's φ has a standard error of 1/√items.
    assert.ok(Math.abs(phi) < 4 / Math.sqrt(items * latents), `rates ${imageRate}, ${captionRate}: ${phi}`);
    assert.ok(Math.abs(mean(firingCorrelation(images, images, all)) - 1) < 1e-9);
    return mean(firingAgreement(images, captions, all));
  });
  assert.ok(agreements[0]! < 0.02 && agreements[2]! > 0.15, `${agreements}`);
});

test('agreement, correlation and AUROC by hand', () => {
  const columns = (values: number[][]) => ({
    items: values[0]!.length,
    values: values.map((column) => Float32Array.from(column)),
    fires: values.map((column) => Uint8Array.from(column, (value) => (value > 0 ? 1 : 0))),
  });
  const images = columns([
    [1, 0, 0, 2],
    [0, 3, 0, 1],
  ]);
  const captions = columns([
    [2, 1, 0, 0],
    [0, 1, 0, 1],
  ]);
  assert.equal(scoredLatents(images, 2), [0, 1]);
  assert.equal(scoredLatents(images, 3), []);
  assert.equal(firingAgreement(images, captions, [0, 1]), [1, 0.5, 0, 0.5]);
  // Latent 0 fires on images 0 and 3, on captions 0 and 1: φ 0; latent 1 on 1 and 3 of both: φ 1.
  assert.equal(firingCorrelation(images, captions, [0, 1]), [1, 0, 1, 0]);
  assert.equal(firingCorrelation(images, captions, [1], { image: Uint32Array.of(1, 0, 3, 2) }), [-1, -1, -1, -1]);
  // Positives 2 and 0 against 1 and 0: 2 > 1, 2 > 0, 0 < 1, 0 = 0.
  assert.equal(captionAurocs(images, captions, [0, 1]), [0.625, 1]);
  assert.equal(captionAurocs(images, captions, [1], { latent: Uint32Array.of(0, 0) }), [0.375]);
  const dense = latentColumns(
    { kind: 'dense', items: 4, d_sae: 1, l0: 1, max: Float32Array.of(-3, -1, -2, -4), min: new Float32Array(4) },
    0.5,
  );
  assert.equal([...dense.fires[0]!], [0, 1, 1, 0]);
});

test.run();
