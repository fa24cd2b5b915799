/** @file Documents for training: where tags stand, and how many of them as training goes on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Tokenizer } from '../../../../harness/contract.ts';
import { createRng } from '../../../../harness/kit/index.ts';
import { createChains } from '../../../../tasks/worlds/text-world/chain.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { chainBatches, taggedText } from './documents.ts';

const test = suite('tiny-lm-chain documents');
const world = createTextWorld();
const chains = createChains(world.concepts, world.topics);
const TAG = /<\|([a-z0-9-]+)\|>/;

test('tags stand where a theme takes over; on request before other clauses too; the text stays what it is', () => {
  const document = chains.draw(createRng('tags'), { clauses: 8, stay: 0.5 });
  const themes = document.clauses.map(({ theme }) => theme);
  const partsOf = (text: string) => text.split(TAG);
  const tagsOf = (text: string) => partsOf(text).filter((_, i) => i % 2 === 1);
  const once = taggedText(document);
  assert.equal(
    tagsOf(once),
    themes.filter((theme, c) => theme !== themes[c - 1]),
  );
  assert.equal(tagsOf(taggedText(document, () => true)), themes);
  for (const text of [once, taggedText(document, () => true)]) {
    assert.is(
      partsOf(text)
        .filter((_, i) => i % 2 === 0)
        .join(''),
      document.text,
    );
    assert.is(partsOf(text)[0], document.text.slice(0, document.text.indexOf('\n') + 1));
  }
  let asked = 0;
  const half = taggedText(document, () => asked++ % 2 === 0);
  assert.is(tagsOf(half).length, tagsOf(once).length + Math.ceil(asked / 2));
});

test('batches are fresh, ended and cut; fewer and fewer documents are told', () => {
  // A character a token.
  const tokenizer = {
    eosId: 0,
    padId: 0,
    encode: (text: string) => ({ ids: [1, ...text].map((char) => (char === 1 ? 1 : (char as string).charCodeAt(0))) }),
  } as Partial<Tokenizer> as Tokenizer;
  const options = { size: 4, maxLength: 60, repeated: () => 0, untagged: (batch: number) => (batch < 16 ? 0 : 1) };
  const take = (count: number) => {
    const source = chainBatches(chains, tokenizer, createRng('batches'), options);
    return Array.from({ length: count }, () => source.next().value!);
  };
  const batches = take(32);
  assert.equal(take(3), batches.slice(0, 3));
  const rows = batches.map(({ n, length, ids, mask }) =>
    Array.from({ length: n }, (_, row) =>
      [...ids.slice(row * length, (row + 1) * length)].filter((_id, column) => mask[row * length + column]),
    ),
  );
  const bar = '|'.charCodeAt(0);
  const told = rows.map((batch) => batch.filter((ids) => ids.includes(bar)).length);
  assert.ok(
    told.slice(0, 16).every((count) => count >= 3),
    `${told}`,
  );
  assert.ok(
    told.slice(16).every((count) => count === 0),
    `${told}`,
  );
  assert.ok(rows.flat().every((ids) => ids.length <= 60 && ids[0] === 1));
  assert.is(new Set(rows.flat().map((ids) => ids.join())).size, 32 * 4);
});

test.run();
