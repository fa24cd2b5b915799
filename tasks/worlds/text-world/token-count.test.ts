/** @file Lengths that match labelled documents: those of tiny-lm-planted's tokenizer, without reading it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTokenizer } from '../../../harness/io/tokenizer.ts';
import { BYTE_ALPHABET, createRng, packageRoot } from '../../../harness/kit/index.ts';
import { SPECIALS, tokenizerJson } from '../../../models/pretrained/tiny-lm-planted/make/tokenizer-json.ts';
import { MERGES } from './merges.ts';
import { mergePieces, pretokenize, tokenCounter } from './token-count.ts';
import { createTextWorld } from './world.ts';

const test = suite('text-world/token-count');
const TINY_LM = join(packageRoot, 'models/pretrained/tiny-lm-planted');

test('the merges are those of tiny-lm-planted', () => {
  const merges = Array.from(
    { length: MERGES.length / 2 },
    (_, i) => MERGES.slice(2 * i, 2 * i + 2) as [string, string],
  );
  const vocab = [...SPECIALS, ...BYTE_ALPHABET, ...merges.map(([left, right]) => left + right)];
  const file = JSON.parse(readFileSync(join(TINY_LM, 'tokenizer.json'), 'utf8'));
  assert.equal(tokenizerJson({ vocab, merges }, SPECIALS, '<s>'), file);
});

test('every document, and any text, has as many tokens as in tiny-lm-planted', async () => {
  const tokenizer = await loadTokenizer(TINY_LM);
  const lengthOf = tokenCounter();
  const world = createTextWorld();
  const rng = createRng(5);
  const documents = Array.from({ length: 300 }, () => world.generate(rng).text);
  for (const text of [...documents, '', ' ', 'naïve café, 数字 42', '\t\n\n  x', '🙂 <b> & "q"', 'thethe thhe inin']) {
    assert.is(lengthOf(text), tokenizer.encode(text, { addSpecialTokens: false }).ids.length, text);
  }
});

test('merges are applied by priority, all of a pair at once', () => {
  const ranks = new Map(['a b', 'b a', 'ab ab'].map((pair, i) => [pair, i]));
  assert.equal(mergePieces([...'babab'], ranks), ['b', 'abab']);
  assert.equal(mergePieces([], ranks), []);
});

test('words keep their space, digits stand alone', () => {
  assert.equal(pretokenize('a 142/91 mmHg.\nB'), ['a', 'Ġ1', '4', '2', '/', '9', '1', 'ĠmmHg', '.', 'Ċ', 'B']);
});

test.run();
