/** @file Fingerprints hold every file that decides numbers, and no other. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderFingerprint } from './fingerprint.ts';

const test = suite('io/fingerprint');
let folder: string;
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'saxbench-fingerprint-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

const TOKENIZER = [
  ...['tokenizer.json', 'tokenizer_config.json', 'vocab.json', 'merges.txt', 'encoder.json', 'vocab.bpe'],
  ...['bpe_simple_vocab_16e6.txt', 'bpe_simple_vocab_16e6.txt.gz', 'added_tokens.json', 'special_tokens_map.json'],
  ...['vocab.txt', 'chat_template.jinja'],
];

for (const name of [
  ...TOKENIZER,
  'config.json',
  'preprocessor_config.json',
  'modules.json',
  'sentence_bert_config.json',
  '1_Pooling/config.json',
  'model.safetensors.index.json',
  'a.safetensors',
]) {
  test(`${name} added, edited and renamed`, async () => {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    const empty = await folderFingerprint(folder);
    writeFileSync(file, 'one');
    const one = await folderFingerprint(folder);
    writeFileSync(file, 'two');
    const two = await folderFingerprint(folder);
    assert.is(new Set([empty, one, two]).size, 3);
    rmSync(file);
    assert.is(await folderFingerprint(folder), empty);
  });
}

test('a GGUF file is all that counts at its place, PyTorch’s weights where there are no safetensors', async () => {
  const file = join(folder, 'model.gguf');
  writeFileSync(file, 'one');
  const one = await folderFingerprint(folder);
  assert.is(await folderFingerprint(file), one);
  writeFileSync(join(folder, 'README.md'), 'x');
  assert.is(await folderFingerprint(folder), one);
  writeFileSync(file, 'two');
  assert.is.not(await folderFingerprint(file), one);
  rmSync(file);
  writeFileSync(join(folder, 'config.json'), '{}');
  const empty = await folderFingerprint(folder);
  for (const name of ['training_args.bin', 'optimizer.pt']) writeFileSync(join(folder, name), 'x');
  assert.is(await folderFingerprint(folder), empty);
  writeFileSync(join(folder, 'pytorch_model.bin'), 'x');
  assert.is.not(await folderFingerprint(folder), empty);
});

test('cards, licences and other formats of the weights do not count', async () => {
  writeFileSync(join(folder, 'model.safetensors'), 'x');
  const empty = await folderFingerprint(folder);
  for (const name of ['README.md', 'LICENSE', 'pytorch_model.bin', 'flax_model.msgpack', '.gitattributes']) {
    writeFileSync(join(folder, name), 'x');
  }
  assert.is(await folderFingerprint(folder), empty);
});

test.run();
