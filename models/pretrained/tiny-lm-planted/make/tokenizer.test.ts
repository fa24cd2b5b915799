/** @file The tokenizer of tiny-lm-planted: loads, round-trips the world, stays short, and its trainer is exact. */
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../../harness/kit/index.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { trainBpe } from '../../bpe.ts';

const test = suite('tiny-lm-planted/tokenizer');
const read = (name: string) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));

test('merges a hand-computed example, ties by code unit', () => {
  const words = [
    { pieces: ['a', 'b', 'a', 'b'], count: 3 },
    { pieces: ['a', 'b', 'c'], count: 2 },
  ];
  const { vocab, merges } = trainBpe(words, ['a', 'b', 'c'], 5);
  // ab: 2*3+2 = 8, ba: 3, bc: 2; then abab as (ab, ab): 3, (ab, c): 2.
  assert.equal(merges, [
    ['a', 'b'],
    ['ab', 'ab'],
  ]);
  assert.equal(vocab.slice(-2), ['ab', 'abab']);
});

test('round-trips every document, at most 1536 ids, short documents', () => {
  const world = createTextWorld();
  const rng = createRng(31);
  const n = 1500;
  let [total, long] = [0, 0];
  for (let i = 0; i < n; i++) {
    const { text } = world.generate(rng);
    const { ids } = tokenizer.encode(text);
    assert.is(ids[0], 1);
    assert.is(tokenizer.decode(ids, { skip_special_tokens: true }), text);
    assert.ok(ids.every((id: number) => id < 1536));
    total += ids.length + 1;
    if (ids.length + 1 > 128) long++;
  }
  assert.ok(total / n <= 72, `mean length ${total / n}`);
  assert.ok(long / n <= 0.002, `${long} documents of more than 128 tokens`);
});

test('round-trips any text', () => {
  for (const text of ['', ' ', 'naïve café, 数字 42', '\t\n\n  x', '🙂 <b> & "q"']) {
    const { ids } = tokenizer.encode(text);
    assert.is(tokenizer.decode(ids, { skip_special_tokens: true }), text);
  }
});

test.run();
