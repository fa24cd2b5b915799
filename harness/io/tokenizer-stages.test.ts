/** @file Stages of a tokenizer.json against Hugging Face's own tokenizers, on texts where JavaScript's rules differ. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { BYTE_SYMBOLS } from './byte-symbols.ts';
import { makeTokenizer } from './tokenizer.ts';

const test = suite('io/tokenizer-stages');

interface Golden {
  texts: string[];
  stages: Record<string, { normalizer: object | null; pre_tokenizer: object | null; ids: number[][] }>;
}
const golden: Golden = JSON.parse(
  readFileSync(new URL('./testdata/tokenizer-stages.golden.json', import.meta.url), 'utf8'),
);

/** The 256 bytes within a piece and at its end: ids show where a text was cut. */
const tokens = [...BYTE_SYMBOLS, ...BYTE_SYMBOLS.map((symbol) => `${symbol}</w>`)];
const model = {
  type: 'BPE',
  vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
  merges: [],
  end_of_word_suffix: '</w>',
};

const tokenizerOf = (stages: object) =>
  makeTokenizer(
    'bytes',
    { added_tokens: [], normalizer: null, post_processor: null, decoder: null, model, ...stages },
    {},
  );

for (const [name, { ids, ...stages }] of Object.entries(golden.stages)) {
  test(name, () => {
    const tokenizer = tokenizerOf(stages);
    golden.texts.forEach((text, i) => {
      const shown = (found: readonly number[]) => found.map((id) => tokenizer.token(id)).join(' ');
      assert.is(shown(tokenizer.encode(text).ids), shown(ids[i]!), JSON.stringify(text));
    });
  });
}

test('equal scores of a Unigram model: the longest last token wins, words are cut apart', () => {
  const vocab = [
    ['<unk>', 0],
    ['▁', -2],
    ['a', -1],
    ['b', -1],
    ['ab', -2],
    ['ba', -2],
    ['▁a', -3],
    ['b▁', -1],
    ['aba', -3],
  ];
  const unigram = { type: 'Unigram', vocab, unk_id: 0 };
  const tokenizer = tokenizerOf({ model: unigram, pre_tokenizer: { type: 'Metaspace' } });
  const spelled = (text: string) => tokenizer.encode(text).ids.map((id) => tokenizer.token(id));
  // By tokenizers 0.23.3.
  assert.equal(spelled('abab'), ['▁', 'ab', 'ab']);
  assert.equal(spelled('ab  ba'), ['▁', 'ab', '▁', '▁', 'ba']);
  assert.equal(spelled('bab a'), ['▁', 'b', 'ab', '▁a']);
});

test('what cannot be brought to agree is one clear line', () => {
  const refused = (stages: object): string => {
    try {
      tokenizerOf(stages);
    } catch (error) {
      assert.instance(error, UserError);
      return (error as Error).message;
    }
    throw new Error('expected a UserError');
  };
  const split = (more: object) => ({ pre_tokenizer: { type: 'Split', pattern: { String: '.' }, ...more } });
  assert.match(refused(split({ behavior: 'Sideways' })), /behavior: expected Isolated, .*found "Sideways"/);
  assert.match(refused(split({ behavior: 'MergedWithNext', invert: true })), /with invert, found "MergedWithNext"/);
  assert.match(refused({ normalizer: { type: 'Precompiled', precompiled_charsmap: '' } }), /precompiled table/);
  assert.match(refused({ model: { ...model, continuing_subword_prefix: '##' } }), /expected none with the model BPE/);
  const whole = { id: 1, content: '<x>', single_word: true };
  assert.match(refused({ added_tokens: [whole] }), /"<x>": single_word: expected false, found true/);
  const unigram = { type: 'Unigram', vocab: [['<unk>', 0]], unk_id: 0, byte_fallback: true };
  assert.match(refused({ model: unigram }), /byte_fallback: expected false with the model Unigram/);
});

test.run();
