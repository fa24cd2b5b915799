import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Clip,
  type Dataset,
  type Item,
  type PrepareContext,
  type RawImage,
  type TaskContext,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tf,
} from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { checkedRows } from '../../harness/results/rows.ts';
import { memoryActivations } from '../../harness/testing/activations.ts';
import task from '../reconstruction.ts';

const test = suite('tasks/reconstruction/clip');
test.before(async () => {
  await initBackend('wasm');
});

/** An image's embedding is its (red, green); a text's is (1, 0), (0, 1) or (1, 1) by its word. */
const WORDS: Record<string, number[]> = { red: [1, 0], green: [0, 1], both: [1, 1] };
const fakeClip = {
  id: 'fake',
  type: 'clip',
  projectionDim: 2,
  logitScale: 10,
  tokenize: (texts: string[]) => ({
    n: texts.length,
    length: 1,
    ids: Int32Array.from(texts, (text) => Object.keys(WORDS).indexOf(text)),
    mask: new Uint8Array(texts.length).fill(1),
  }),
  preprocess: async (images: RawImage[]) =>
    tf.tensor4d(Float32Array.from(images.flatMap(({ data }) => [...data])), [images.length, 1, 1, 3]),
  forwardImage(pixels: Tensor4D, options = {}) {
    return tf.tidy(() => {
      let x = tf.reshape(tf.slice(pixels, [0, 0, 0, 0], [-1, -1, -1, 2]), [-1, 1, 2]) as Tensor3D;
      const mask = tf.ones([x.shape[0], 1]) as Tensor2D;
      for (const { apply } of options.interventions ?? []) x = apply(x, { offset: 0, phase: 'prompt', mask });
      return { embeds: tf.reshape(x, [-1, 2]) as Tensor2D, captured: {} };
    });
  },
  forwardText: ({ ids }) => ({
    embeds: tf.tensor2d(Array.from(ids, (id) => Object.values(WORDS)[id]!)),
    captured: {},
  }),
} as Partial<Clip> as Clip;

const picture = (red: number, green: number, caption: string): Item => ({
  id: `${red}-${green}`,
  image: { width: 1, height: 1, data: Uint8Array.from([red, green, 0]) },
  caption,
});
const ITEMS = [picture(200, 100, 'red'), picture(80, 240, 'green'), picture(90, 100, 'both'), picture(250, 10, 'red')];
const zeroShot = [
  {
    id: 'colour',
    classes: [
      { label: 'red', prompts: ['red', 'both'] },
      { label: 'green', prompts: ['green'] },
    ],
    classOf: ({ caption }: Item) => (caption === 'both' ? undefined : caption === 'red' ? 0 : 1),
  },
];

async function run(
  decode: (x: Tensor2D) => Tensor2D,
  overrides: { site?: string; items?: Item[]; zeroShot?: [] } = {},
) {
  const items = overrides.items ?? ITEMS;
  const rows = memoryActivations(ITEMS.map(({ image }) => [[...(image as RawImage).data.subarray(0, 2)]]));
  const context = {
    options: { documents: 10, cleanMiB: 1 },
    subject: fakeClip,
    site: { name: overrides.site ?? 'vision.embed', d: 2, modality: 'image', kind: 'pooled' },
    dataset: { zeroShot: overrides.zeroShot ?? zeroShot } as unknown as Dataset,
    ...{ test: rows, train: rows },
    testItems: items,
    progress: () => {},
  } as unknown as PrepareContext<{ documents: number; cleanMiB: number }>;
  const before = tf.memory().numTensors;
  const prepared = await task.prepare!(context);
  const method = {
    d_in: 2,
    d_sae: 2,
    sparse: false,
    encode: (x: Tensor2D) => ({ kind: 'dense', values: tf.clone(x) }),
    decode: (codes: { values: Tensor2D }) => decode(codes.values),
    id: 'fake',
    kind: 'sae',
  };
  const outcome = await task.run({ ...context, prepared, method } as unknown as TaskContext<{
    documents: number;
    cleanMiB: number;
  }>);
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  return checkedRows(outcome, task.metrics, 'reconstruction')[0]!.metrics;
}

const near = (actual: number | null | undefined, expected: number, tolerance = 1e-5) =>
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('the identity changes nothing', async () => {
  const metrics = await run((x) => tf.clone(x));
  near(metrics['zero_shot_accuracy']!.value, 1);
  for (const name of ['zero_shot_change', 'logit_change']) near(metrics[name]!.value, 0);
  for (const way of ['image_to_text', 'text_to_image']) near(metrics[`retrieval_change_${way}`]!.value, 0);
  assert.match(metrics['ce']!.reason!, /language model/);
});

test('swapped colours: accuracy, logits and retrieval by hand', async () => {
  const metrics = await run((x) => tf.reverse(x, 1));
  // The three classified images all change sides: 'both' has no class. 'red' stands at (1 + 1/√2, 1/√2) scaled.
  near(metrics['zero_shot_accuracy']!.value, 0);
  near(metrics['zero_shot_change']!.value, -1);
  const unit = (v: number[]) => v.map((value) => value / Math.hypot(...v));
  const texts = [unit([1 + Math.SQRT1_2, Math.SQRT1_2]), [0, 1]];
  const change = ITEMS.map(({ image }) => {
    const [r, g] = unit([...(image as RawImage).data.subarray(0, 2)]);
    return texts.reduce((sum, [a, b]) => sum + Math.abs(a! * g! + b! * r! - a! * r! - b! * g!), 0) / 2;
  });
  near(metrics['logit_change']!.value, (10 * change.reduce((sum, value) => sum + value, 0)) / 4, 1e-4);
  // Clean: (200, 100) is nearest to 'both' (cosine .949 against .894), the others find theirs. Swapped: 'both' only.
  near(metrics['retrieval_change_image_to_text']!.value, 1 / 4 - 3 / 4);
  // Clean: each caption finds its image; swapped: 'both' only.
  near(metrics['retrieval_change_text_to_image']!.value, 1 / 4 - 1);
});

test('text sites and items without images give empty cells with the reason', async () => {
  const text = await run((x) => tf.clone(x), { site: 'text.embed' });
  assert.match(text['zero_shot_change']!.reason!, /vision tower/);
  near(text['explained_variance']!.value, 1);
  const blind = await run((x) => tf.clone(x), { items: ITEMS.map(({ id }) => ({ id })) });
  assert.match(blind['logit_change']!.reason!, /no images/);
});

test('captions alone give logits and retrieval, and no zero-shot accuracy', async () => {
  const metrics = await run((x) => tf.reverse(x, 1), { zeroShot: [] });
  assert.is(metrics['zero_shot_accuracy']!.value, null);
  assert.match(metrics['zero_shot_accuracy']!.reason!, /no zero-shot task/);
  assert.ok(metrics['logit_change']!.value! > 0);
});

test.run();
