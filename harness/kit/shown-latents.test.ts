import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FittedMethod, LanguageModel, Tensor3D } from '../contract.ts';
import { initBackend } from '../num/backend.ts';
import { tf } from '../num/tf.ts';
import { memoryActivations } from '../testing/activations.ts';
import { poolLatents } from './latents.ts';
import { type LatentSource, showLatents, type WantedLatent } from './shown-latents.ts';

const test = suite('kit/shown-latents');
test.before(async () => {
  await initBackend('wasm');
});

/** Codes are the activations; of signed ones both ends count. */
const identity = (sparse: boolean): FittedMethod => ({
  d_in: 2,
  d_sae: 2,
  sparse,
  encode: (x) => ({ kind: 'dense', values: tf.clone(x) }),
  directions: () => Float32Array.of(1, 0, 0, 1),
  labels: { 1: 'second' },
  dispose: () => {},
});

const TEXTS = ['one two three', 'two one', 'three'];
const IDS = [
  [9, 1, 2, 3],
  [9, 2, 1],
  [9, 3],
];
/** Of each token its two values; the first token is no character of the text. */
const ROWS = [
  [
    [0, 50],
    [0, 0],
    [4, 0],
    [1, -3],
  ],
  [
    [0, 50],
    [8, 0],
    [0, 0],
  ],
  [
    [0, 50],
    [0, -1],
  ],
];

/** Words are tokens; behind a norm that changes nothing, a direction says tokens 1 and 2 by its first number. */
const lm = {
  type: 'lm',
  sites: [{ name: 'blocks.0.hook_resid_post', d: 2 }],
  tokenizer: {
    vocabSize: 9,
    specialIds: new Set([9]),
    encode(text: string) {
      const words = [...text.matchAll(/\w+/g)];
      const idOf: Record<string, number> = { one: 1, two: 2, three: 3 };
      return {
        ids: [9, ...words.map(([word]) => idOf[word!]!)],
        offsets: [[0, 0], ...words.map(({ 0: word, index }) => [index, index + word.length])],
      };
    },
    decode: ([id]: number[]) => `<${id}>`,
  },
  forwardFrom(_site: string, x: Tensor3D) {
    const unembedding = tf.tensor2d([...[0, 3, 2, 1, 0, 0, 0, 0, 0], ...Array<number>(9).fill(0)], [2, 9]);
    const logits = tf.matMul(tf.reshape(x, [-1, 2]), unembedding);
    return { logits: tf.reshape(logits, [x.shape[0], 1, 9]) };
  },
} as unknown as LanguageModel;

const set = memoryActivations(ROWS, { special: [0], tokenIds: IDS });
const items = TEXTS.map((text, i) => ({ id: `item-${i}`, text }));
const words = { from: 'items', rule: 'all' };
const wanted: WantedLatent[] = [
  { latent: 0, sign: 1, why: 'random' },
  { latent: 1, sign: 1, why: 'concept', concepts: [{ id: 'c', label: 'C', selection: 'auroc', auroc: 1 }] },
];

async function shown(sparse: boolean, latents: WantedLatent[], more: Partial<LatentSource> = {}) {
  const method = identity(sparse);
  const pooled = await poolLatents(method, set);
  const before = tf.memory().numTensors;
  const site = 'blocks.0.hook_resid_post';
  const source = { method, set, items, pooled, subject: lm, site, private: false, examples: 2, ...more };
  const found = await showLatents(source, latents, words);
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  return found;
}

test('a latent has its largest items, their tokens graded by value, its rate, label and tokens', async () => {
  const { latents, logits } = await shown(true, wanted);
  const [first, second] = latents;
  assert.equal(first!.examples, [
    { item: 'item-1', value: 8, pieces: ['two', ' one'], grades: [9, 0] },
    { item: 'item-0', value: 4, pieces: ['one', ' two', ' three'], grades: [0, 9, 3] },
  ]);
  assert.is(first!.fires, 0.6667);
  assert.equal(first!.tokens!.slice(0, 3), ['<1>', '<2>', '<3>']);
  assert.is(second!.label, 'second');
  // What does not count (the first position) drives nothing.
  assert.equal([second!.fires, second!.examples], [0, []]);
  assert.ok(logits);
});

test('a negated latent is largest where the latent is least; dense codes do not fire', async () => {
  const { latents } = await shown(false, [{ latent: 1, sign: -1, why: 'concept' }], { among: Uint32Array.of(0) });
  assert.equal(latents, [
    {
      ...{ latent: 1, sign: -1, why: 'concept', label: 'second' },
      examples: [{ item: 'item-0', value: 3, pieces: ['one', ' two', ' three'], grades: [0, 0, 9] }],
      tokens: latents[0]!.tokens!,
    },
  ]);
});

test('private items are named alone; other tokens than those of the text, and no model, leave the text as it is', async () => {
  const hidden = await shown(true, wanted, { private: true });
  assert.is(hidden.private, true);
  assert.not.match(JSON.stringify(hidden), /two|pieces|images/);
  assert.is(hidden.latents[0]!.examples[0]!.item, 'item-1');
  const { latents, logits } = await shown(true, wanted, { subject: undefined });
  assert.equal(latents[0]!.examples[0], { item: 'item-1', value: 8, pieces: ['two one'] });
  assert.is(logits, undefined);
  const other = await shown(true, wanted, { items: items.map((item) => ({ ...item, text: 'three one two one' })) });
  assert.equal(other.latents[0]!.examples[0]!.pieces, ['three one two one']);
  const image = { width: 2, height: 2, data: new Uint8Array(12).fill(200) };
  const pictures = await shown(true, wanted, { items: items.map(({ id }) => ({ id, image })) });
  assert.equal(Object.keys(pictures.images!), ['item-0', 'item-1']);
  assert.equal(pictures.latents[0]!.examples[0], { item: 'item-1', value: 8 });
  assert.is(Buffer.from(pictures.images!['item-0']!, 'base64').subarray(8, 12).toString(), 'WEBP');
});

test.run();
