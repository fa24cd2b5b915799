/** Test of starter.ts: node --test starter.test.mjs */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tryDataset } from 'saxbench/trial';

const file = new URL('./starter.ts', import.meta.url);
const path = fileURLToPath(new URL('./starter.csv', import.meta.url));

test('no text is trained on and tested on', async () => {
  const { corpus, concepts } = await tryDataset(file, { path });
  const textsOf = (items) => items.map(({ text }) => text);
  const train = textsOf(await corpus('train', 1000));
  const held = textsOf(await corpus('test', 1000));
  const { items } = await concepts({});
  const all = [...train, ...held, ...textsOf(items)];
  assert.ok(train.length > held.length && held.length > 0);
  assert.equal(new Set(all).size, all.length);
});

test('every concept has examples with and without it in both splits', async () => {
  const { concepts } = await tryDataset(file, { path });
  const set = await concepts({ perClass: 4 });
  for (const concept of set.concepts.keys()) {
    const own = set.examples.filter((example) => example.concept === concept);
    const kinds = new Set(own.map(({ split, role }) => `${split} ${role}`));
    assert.deepEqual([...kinds].sort(), ['eval negative', 'eval positive', 'train negative', 'train positive']);
  }
});

test('a file without labels is refused in one line', async () => {
  const empty = join(tmpdir(), 'starter-without-labels.csv');
  writeFileSync(empty, 'text,label\nsome text,\n');
  await assert.rejects(tryDataset(file, { path: empty }), /expected 4 rows or more without a label/);
});
