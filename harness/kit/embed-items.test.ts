/** @file Items embedded one by one and together, in any order, by what they have and the encoder reads. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import bert from '../../models/subjects/bert.ts';
import clip from '../../models/subjects/clip.ts';
import type { Item, Subject } from '../contract.ts';
import { initBackend } from '../num/backend.ts';
import { tf } from '../num/tf.ts';
import { packageRoot } from '../paths.ts';
import { embedItems, readsOf } from './embed-items.ts';

const test = suite('kit/embed-items');
const open = async (family: typeof bert, name: string): Promise<Subject> => {
  await initBackend('cpu');
  return family.load(join(packageRoot, 'models/subjects/testdata', name), { id: name });
};

test('texts keep their order, and a text is embedded alike alone', async () => {
  const encoder = await open(bert, 'bert');
  assert.equal(readsOf(encoder), ['text']);
  const texts = Array.from({ length: 70 }, (_, i) => 'nurse tree old '.repeat(1 + ((i * 7) % 5)));
  const items: Item[] = texts.map((text, i) => ({ id: `${i}`, text }));
  const before = tf.memory().numTensors;
  const { data, dim } = await embedItems(encoder, items);
  assert.equal([data.length, dim], [70 * 16, 16]);
  for (const place of [0, 33, 69]) {
    const alone = await embedItems(encoder, [items[place]!]);
    for (const [i, value] of alone.data.entries()) assert.ok(Math.abs(value - data[place * dim + i]!) < 1e-5);
  }
  assert.is(tf.memory().numTensors, before);
  const refused = await embedItems(encoder, [{ id: 'silent' }]).catch((error: Error) => error.message);
  assert.match(String(refused), /embedder bert: reads texts; item 'silent' has none/);
  encoder.dispose();
});

test('a CLIP embeds images where all items have one, else texts', async () => {
  const encoder = await open(clip, 'clip-quick-gelu');
  assert.equal(readsOf(encoder), ['text', 'image']);
  const image = { width: 12, height: 12, data: new Uint8Array(432).fill(90) };
  const pixels = await embedItems(encoder, [{ id: 'a', image, text: 'w5' }]);
  const words = await embedItems(encoder, [{ id: 'a', text: 'w5' }]);
  assert.equal([pixels.dim, words.dim], [12, 12]);
  assert.not.equal(pixels.data, words.data);
  encoder.dispose();
});

test.run();
