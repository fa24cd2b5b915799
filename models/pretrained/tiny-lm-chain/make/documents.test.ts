/** @file Documents for training: where tags stand, and how many of them as training goes on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Tokenizer } from '../../../../harness/contract.ts';
import { createRng } from '../../../../harness/kit/index.ts';
import { createChains } from '../../../../tasks/worlds/text-world/chain.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { chainBatches, taggedText, tagOf } from './documents.ts';

const test = suite('tiny-lm-chain documents');
const world = createTextWorld();
const chains = createChains(world.concepts, world.topics);
// A character a token, after one for the beginning.
const tokenizer = {
  eosId: 0,
  padId: 0,
  encode: (text: string) => ({
    ids: [1, ...Array.from(text, (char) => char.charCodeAt(0))],
    offsets: [[0, 0], ...Array.from(text, (_, i) => [i, i + 1])],
  }),
} as Partial<Tokenizer> as Tokenizer;
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

test('each token of a response has the theme of its clause, a tag that of the clause it tells', () => {
  const source = chainBatches(chains, tokenizer, createRng('themes'), {
    ...{ size: 2, maxLength: 2000, repeated: () => 1, untagged: () => 0 },
  });
  const { n, length, ids, mask, themes } = source.next().value!;
  for (let row = 0; row < n; row++) {
    let [seen, theme] = ['', -1];
    for (let at = row * length; at < (row + 1) * length; at++) {
      const char = mask[at] && ids[at]! > 1 ? String.fromCharCode(ids[at]!) : '';
      seen += char;
      // The last tag whose first character has come.
      const opened = seen.lastIndexOf('<|');
      if (seen.endsWith('<')) theme = Number.NaN;
      else if (seen.endsWith('|>')) theme = world.concepts.findIndex(({ id }) => seen.slice(opened) === tagOf(id));
      if (char === '') theme = -1;
      if (!Number.isNaN(theme)) assert.is(themes[at], theme, seen);
      else assert.ok(themes[at]! >= 0);
    }
  }
});

test.run();
