/** @file Tokenizers built as those of model families are (Qwen, Pythia, OLMo 2, Llama 3, Mistral, Phi-3, Gemma): ids as Rust's. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeTokenizer } from './tokenizer.ts';
import { checkTokenizerJson } from './tokenizer-check.ts';

const test = suite('io/family-tokenizers');

interface Golden {
  texts: string[];
  families: Record<string, { json: object; config: Record<string, unknown>; ids: number[][]; decoded: string[] }>;
}
const golden: Golden = JSON.parse(
  readFileSync(new URL('./testdata/family-tokenizers.golden.json', import.meta.url), 'utf8'),
);

for (const [name, { json, config, ids, decoded }] of Object.entries(golden.families)) {
  test(`${name}: ids, their texts and spans`, () => {
    const tokenizer = makeTokenizer(name, checkTokenizerJson(name, json), config);
    golden.texts.forEach((text, i) => {
      const shown = (found: readonly number[]) => found.map((id) => tokenizer.token(id)).join(' ');
      const encoded = tokenizer.encode(text);
      // A text that begins with BOS gets no second one here.
      const [first, second] = ids[i]!;
      const twice = first !== undefined && first === second && first === tokenizer.bosId;
      const expected = twice ? ids[i]!.slice(1) : ids[i]!;
      assert.is(shown(encoded.ids), shown(expected), JSON.stringify(text));
      assert.equal(encoded.ids, expected);
      // A byte order mark at the very start is left out of the decoded text of bytes.
      if (!text.startsWith('\ufeff')) assert.is(tokenizer.decode(encoded.ids, { skipSpecialTokens: true }), decoded[i]);
      assert.is(encoded.offsets.length, encoded.ids.length);
      let end = 0;
      for (const [from, to] of encoded.offsets) {
        assert.ok(
          from <= to && to <= text.length && (to === 0 || to >= end),
          `${JSON.stringify(text)}: ${from}, ${to}`,
        );
        end = Math.max(end, to);
      }
    });
  });
}

test.run();
