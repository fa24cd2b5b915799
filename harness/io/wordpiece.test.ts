/** @file BERT's WordPiece: MiniLM's ids of 300 real texts, `vocab.txt`, long words, and files that are not BERT's. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { realModel } from '../testing/real-models.ts';
import { loadTokenizer } from './tokenizer.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';

const test = suite('io/wordpiece');
const data = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'saxbench-wordpiece-'));
test.after(() => rmSync(folder, { recursive: true }));

/** As make_wordpiece_golden.py takes them. */
function realTexts(): string[] {
  const read = (path: string) => readFileSync(join(data, path), 'utf8');
  const lines = (path: string) => read(path).split('\n').slice(0, 60);
  const abstracts = Object.values(JSON.parse(read('pubmedqa/ori_pqal.json')) as Record<string, { CONTEXTS: string[] }>);
  return [
    ...(JSON.parse(read('tinystories-1000/tinystories_1000.json')) as string[]).slice(0, 60),
    ...['agnews/test.csv', 'sst2/dev.tsv', 'wikitext2/test.txt'].flatMap(lines),
    ...abstracts.slice(0, 60).map(({ CONTEXTS }) => CONTEXTS.join(' ')),
  ];
}

test('the ids of 300 real texts are those of the tokenizers library, whole and cut; vocab.txt gives the same', async () => {
  const model = realModel('minilm-l6');
  if (!model || !existsSync(data)) return;
  const path = new URL('./testdata/wordpiece.golden.json', import.meta.url);
  const golden = JSON.parse(readFileSync(path, 'utf8')) as Record<string, { tokens: number; sha256: string }>;
  copyFileSync(join(model, 'vocab.txt'), join(folder, 'vocab.txt'));
  const texts = realTexts();
  for (const tokenizer of [await loadTokenizer(model), await loadTokenizer(folder)]) {
    for (const [name, { tokens, sha256 }] of Object.entries(golden)) {
      const limit = name === 'whole' ? {} : { maxLength: Number(name.slice('cut at '.length)) };
      const ids = texts.map((text) => tokenizer.encode(text, limit).ids);
      assert.is(ids.flat().length, tokens, name);
      assert.is(createHash('sha256').update(ids.join('\n')).digest('hex'), sha256, name);
    }
  }
});

const refusal = async (vocab: string, config?: object): Promise<string> => {
  writeFileSync(join(folder, 'vocab.txt'), vocab);
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config ?? {}));
  try {
    await loadTokenizer(folder);
  } catch (error) {
    assert.instance(error, UserError, String(error));
    return (error as Error).message;
  }
  return '';
};
const SMALL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'un', '##aff', '##able', 'Un', '中'];

test('words are cut greedily; one that cannot be cut, or is longer than 100 characters, is unknown', async () => {
  assert.is(await refusal(SMALL.join('\n')), '');
  const tokenizer = await loadTokenizer(folder);
  assert.equal(tokenizer.encode('Unaffable ünaff').ids, [2, 4, 5, 6, 4, 5, 3]);
  assert.equal(tokenizer.encode('unaffx 中中').ids, [2, 1, 8, 8, 3]);
  assert.equal(tokenizer.encode(`un${'aff'.repeat(32)} un${'aff'.repeat(33)}`).ids.slice(-2), [1, 3]);
  assert.equal(tokenizer.encode('un un un un', { maxLength: 4 }).ids, [2, 4, 4, 3]);
  assert.equal(tokenizer.encode('un [SEP]').ids, [2, 4, 3, 3]);
});

test('a cased vocabulary keeps case and accents; a repeated token, a wrong flag and another file are refused', async () => {
  assert.is(await refusal(SMALL.join('\r\n'), { do_lower_case: false }), '');
  assert.equal((await loadTokenizer(folder)).encode('Unaff Ün').ids, [2, 7, 5, 1, 3]);
  assert.match(
    await refusal([...SMALL, 'un'].join('\n')),
    /line 10: expected a token of its own, found "un", as in line 5/,
  );
  assert.match(await refusal('a\nb\n'), /expected a line \[UNK\], found none/);
  assert.match(await refusal(SMALL.join('\n'), { do_lower_case: 'yes' }), /do_lower_case: expected true or false/);
});

test('what tokenizer_config.json says of letters wins over tokenizer.json, as in transformers', async () => {
  assert.is(await refusal(SMALL.join('\n')), '');
  const { json } = await readTokenizerFiles(folder);
  const other = mkdtempSync(join(tmpdir(), 'saxbench-wordpiece-'));
  // As transformers 5.24 cuts 'Un': unknown, or 'Un' in letters as they are, 'un' in small ones.
  const cut = async (lowercase: boolean, config: object) => {
    const normalizer = { ...(json['normalizer'] as object), lowercase };
    writeFileSync(join(other, 'tokenizer.json'), JSON.stringify({ ...json, normalizer }));
    writeFileSync(join(other, 'tokenizer_config.json'), JSON.stringify(config));
    return (await loadTokenizer(other)).encode('Un').ids[1];
  };
  const [kept, small] = [7, 4];
  assert.is(await cut(true, { tokenizer_class: 'BertTokenizer', do_lower_case: false }), kept);
  assert.is(await cut(true, { do_lower_case: false }), kept);
  assert.is(await cut(false, { tokenizer_class: 'BertTokenizerFast', do_lower_case: true }), small);
  assert.is(await cut(false, { tokenizer_class: 'BertTokenizer' }), small);
  assert.is(await cut(true, { tokenizer_class: 'PreTrainedTokenizerFast', do_lower_case: false }), small);
  assert.is(await cut(false, {}), kept);
  rmSync(other, { recursive: true });
});

test('a vocabulary with more or fewer lines than the model has rows is refused, but for a padded embedding', async () => {
  const config = join(folder, 'config.json');
  const withRows = (vocab_size: number) => {
    writeFileSync(config, JSON.stringify({ vocab_size }));
    return refusal(SMALL.join('\n'));
  };
  assert.is(await withRows(9), '');
  assert.is(await withRows(16), '');
  assert.match(
    await withRows(10),
    /vocab\.txt: expected 10 lines, as many as vocab_size in config\.json says, found 9/,
  );
  assert.match(await withRows(8), /expected 8 lines/);
  assert.match(await withRows(80), /expected 80 lines/);
  rmSync(config);
});

test.run();
