/** @file Tests of tokenizers: ids and spans against the reference implementation, CLIP's published ids, bad folders. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { BYTE_SYMBOLS } from './byte-symbols.ts';
import { gpt2Tokenizer } from './gpt2-tokenizer.ts';
import { loadTokenizer, makeTokenizer } from './tokenizer.ts';

const test = suite('io/tokenizer');
const data = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'saxbench-tok-'));
test.after(() => rmSync(folder, { recursive: true }));

interface Row {
  text: string;
  ids: number[];
  offsets: [number, number][];
}
const golden: Record<string, Row[]> = JSON.parse(
  readFileSync(new URL('./testdata/tokenizers.golden.json', import.meta.url), 'utf8'),
);

/** Where the reference's spans are not the characters that a token spells; ours beside, as `[row, token, span]`. */
const BETTER: Record<string, [number, number, [number, number]][]> = {
  // Metaspace's inserted space is nowhere in the text; the reference gives it the first character.
  'stories260k-hf': [
    [2, 1, [0, 0]],
    [6, 1, [0, 0]],
    [7, 1, [0, 0]],
    [8, 21, [29, 29]],
    [8, 28, [41, 41]],
    [11, 1, [0, 0]],
  ],
  // "e" + combining accent become one character; the reference leaves the accent out.
  'tokenizers/clip': [[4, 2, [5, 10]]],
};

for (const [name, rows] of Object.entries(golden)) {
  test(`${name}: ids and spans of the reference implementation`, async () => {
    if (!existsSync(join(data, name))) return console.log(`  skipped: ../shared/data/${name} is absent`);
    const tokenizer = await loadTokenizer(join(data, name));
    rows.forEach(({ text, ids, offsets }, row) => {
      const encoded = tokenizer.encode(text);
      assert.equal(encoded.ids, ids, text);
      const expected = offsets.map((span) => [...span]);
      for (const [r, token, span] of BETTER[name] ?? []) if (r === row) expected[token] = span;
      assert.is(JSON.stringify(encoded.offsets), JSON.stringify(expected), text);
    });
  });
}

test("stories260k: the golden text's ids, and back", async () => {
  const path = join(data, 'stories260k-hf');
  if (!existsSync(path)) return console.log('  skipped: ../shared/data/stories260k-hf is absent');
  const tokenizer = await loadTokenizer(path);
  const reference = JSON.parse(readFileSync(join(path, 'golden.json'), 'utf8')) as { text: string; ids: number[] };
  assert.equal(tokenizer.encode(reference.text).ids, reference.ids);
  assert.is(tokenizer.decode(reference.ids, { skipSpecialTokens: true }), reference.text);
  assert.equal([tokenizer.bosId, tokenizer.eosId, tokenizer.padId, tokenizer.unkId], [1, 2, undefined, 0]);
  assert.is(tokenizer.vocabSize, 512);
  assert.is(tokenizer.maxLength, 512);
  assert.equal(tokenizer.encode(reference.text, { addSpecialTokens: false }).ids, reference.ids.slice(1));
});

test('CLIP: published ids, truncation keeps the end token', async () => {
  const path = join(data, 'tokenizers/clip');
  if (!existsSync(path)) return console.log('  skipped: ../shared/data/tokenizers/clip is absent');
  const tokenizer = await loadTokenizer(path);
  const cases: Record<string, number[]> = {
    'how are you doing?': [829, 631, 592, 1960, 286],
    'hello world': [3306, 1002],
    'hi  hello': [1883, 3306],
    'The company was founded in 2016.': [518, 2634, 739, 12240, 530, 273, 271, 272, 277, 269],
    'a photo of a cat': [320, 1125, 539, 320, 2368],
    'a diagram': [320, 22697],
    'a bad photo of a tench.': [320, 2103, 1125, 539, 320, 1149, 634, 269],
    'chest x-ray showing pleural effusion': [10563, 343, 268, 3077, 3649, 926, 33948, 1490, 9364],
    pneumothorax: [28714, 617, 4130, 9203],
  };
  for (const [text, ids] of Object.entries(cases))
    assert.equal(tokenizer.encode(text).ids, [49406, ...ids, 49407], text);
  const long = tokenizer.encode('cat '.repeat(200), { maxLength: 77 });
  assert.is(long.ids.length, 77);
  assert.is(long.offsets.length, 77);
  assert.equal([long.ids[0], long.ids[1], long.ids[75], long.ids[76]], [49406, 2368, 2368, 49407]);
  assert.is(tokenizer.decode(long.ids.slice(0, 3), { skipSpecialTokens: true }), 'cat cat');
  assert.equal([tokenizer.bosId, tokenizer.eosId, tokenizer.padId], [49406, 49407, 49407]);
});

/** A byte-level vocabulary of the 256 bytes, `he`, `hel` and an end token. */
function tiny(): { json: Record<string, unknown>; config: Record<string, unknown> } {
  const tokens = [...BYTE_SYMBOLS, 'he', 'hel', '<|endoftext|>'];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return gpt2Tokenizer(vocab, ['h e', 'he l']) as { json: Record<string, unknown>; config: Record<string, unknown> };
}

test('spans slice the text, whatever the characters', () => {
  const { json, config } = tiny();
  const tokenizer = makeTokenizer('tiny', json, config);
  assert.equal(tokenizer.encode('hello').ids.map(tokenizer.token), ['hel', 'l', 'o']);
  for (const text of ['hello  hé\n😀 x', '\u0000\ud7ff', ' ', 'a<|endoftext|>b']) {
    const { ids, offsets } = tokenizer.encode(text);
    assert.is(tokenizer.decode(ids), text);
    let at = 0;
    for (const [start, end] of offsets) {
      assert.ok(start <= at && end >= at && end > start, `${JSON.stringify(text)}: [${start}, ${end}] at ${at}`);
      at = end;
    }
    assert.is(at, text.length);
  }
});

test('the config can switch BOS and EOS', () => {
  const { json, config } = tiny();
  const end = 258;
  const on = makeTokenizer('tiny', json, { ...config, add_bos_token: true, add_eos_token: true });
  assert.equal(on.encode('he').ids, [end, 256, end]);
  assert.equal(on.encode('he', { addSpecialTokens: false }).ids, [256]);
  assert.equal(on.encode(''), {
    ids: [end, end],
    offsets: [
      [0, 0],
      [0, 0],
    ],
  });
  assert.equal(on.encode('hehehe', { maxLength: 3 }).ids, [end, 256, end]);
});

test('an unknown token spans the text that it replaced', () => {
  const vocab = { '[UNK]': 0, hello: 1, world: 2 };
  const json = {
    added_tokens: [{ id: 0, content: '[UNK]', special: true }],
    normalizer: {
      type: 'BertNormalizer',
      lowercase: true,
      strip_accents: null,
      clean_text: true,
      handle_chinese_chars: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
  const { ids, offsets } = makeTokenizer('words', json, {}).encode('Héllo strange World');
  assert.equal(ids, [1, 0, 2]);
  assert.equal(
    [offsets[0], offsets[2]],
    [
      [0, 5],
      [14, 19],
    ],
  );
  assert.ok(offsets[1]![0] <= 6 && offsets[1]![1] >= 13 && offsets[1]![1] <= 14);
});

test('a missing or broken tokenizer is one clear line', async () => {
  const refusal = async (content?: string): Promise<string> => {
    if (content !== undefined) writeFileSync(join(folder, 'tokenizer.json'), content);
    try {
      await loadTokenizer(folder);
    } catch (error) {
      assert.instance(error, UserError, String(error));
      return (error as Error).message;
    }
    throw new Error('expected a UserError');
  };
  assert.match(await refusal(), /expected tokenizer.json \(or vocab.json with merges.txt, or vocab.txt\), found none/);
  assert.match(await refusal('{'), /tokenizer.json is not valid JSON/);
  assert.match(await refusal('{"model": 3}'), /expected an object with a field model/);
  assert.match(
    await refusal('{"model": {"type": "BPE", "vocab": {"a": 1e12}, "merges": []}}'),
    /token "a": expected an id from 0/,
  );
  assert.match(
    await refusal('{"decoder": {"type": "Magic"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}'),
    /not a tokenizer that can be read/,
  );
  assert.match(
    await refusal('{"added_tokens": [{"id": 1}], "model": {"vocab": {}}}'),
    /added_tokens: expected objects with a text content/,
  );
});

test('merges that were cut off, merges of another vocabulary and an id given twice are one clear line', async () => {
  const tokens = [...BYTE_SYMBOLS, ...Array.from({ length: 12 }, (_, i) => 'a'.repeat(i + 2)), '<|endoftext|>'];
  const merges = Array.from({ length: 12 }, (_, i) => `${'a'.repeat(i + 1)} a`);
  const ids = (list: string[]) => Object.fromEntries(list.map((token, id) => [token, id]));
  const into = mkdtempSync(join(folder, 'pair-'));
  const loaded = (vocab: Record<string, number>, lines: string[]) => {
    writeFileSync(join(into, 'vocab.json'), JSON.stringify(vocab));
    writeFileSync(join(into, 'merges.txt'), ['#version: 0.2', ...lines, ''].join('\n'));
    return loadTokenizer(into).then(
      ({ encode }) => String(encode('aaa').ids),
      (error: unknown) => {
        assert.instance(error, UserError);
        return (error as Error).message;
      },
    );
  };
  assert.is(await loaded(ids(tokens), merges), '257');
  const cut = /merges\.txt: expected a merge for every token of the vocabulary, found none for 11 of them \("aaa", …\)/;
  assert.match(await loaded(ids(tokens), merges.slice(0, 1)), cut);
  assert.match(await loaded(ids(tokens), []), /found none for 12 of them/);
  assert.match(
    await loaded(ids(tokens), [...merges, 'h e']),
    /merges\[12\]: expected tokens of model\.vocab.*found "he"/,
  );
  assert.match(await loaded(ids(tokens.slice(0, 260)), merges), /merges\[4\]: expected tokens of model\.vocab/);
  const turned = /merge 1 \("aaaaaaaaaaaa a"\): expected "aaaaaaaaaaaa" to be made by one before it, found it later/;
  assert.match(await loaded(ids(tokens), [...merges].reverse()), turned);
  const twice = { ...ids(tokens), aaa: 256 };
  assert.match(await loaded(twice, merges), /token "aaa": expected an id of its own, not that of "aa", found 256/);
});

test("OpenAI's vocabulary of CLIP that was cut off is refused: its special tokens would have other ids", async () => {
  const into = mkdtempSync(join(folder, 'clip-'));
  writeFileSync(join(into, 'bpe_simple_vocab_16e6.txt'), '"bpe_simple_vocab_16e6.txt#version: 0.2\ni n\nt h\n');
  await loadTokenizer(into).then(
    () => assert.unreachable(),
    (error: unknown) =>
      assert.match((error as Error).message, /expected 48894 merges or more, found 2: the file is cut off/),
  );
});

test.run();
