/** @file GGUF files as subjects, against transformers' reading of the same files, and files that say what is not computed. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LanguageModel, UserError } from '../../harness/contract.ts';
import { loadTokenizer, packageRoot, readModelConfig } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import {
  f32,
  flag,
  floats,
  ggufBytes,
  ints,
  type TestTensor,
  type TestValue,
  text,
  texts,
  u32,
} from '../../harness/testing/gguf.ts';
import llama from './llama.ts';
import { batchOf } from './load.ts';

const test = suite('models/subjects/gguf');
test.before(async () => {
  await initBackend('wasm');
});

const golden = (name: string) => join(packageRoot, 'harness/io/testdata', name);
const FILE = golden('gguf-llama.golden.gguf');
const reference = JSON.parse(readFileSync(golden('gguf-llama.golden.json'), 'utf8')) as {
  texts: string[];
  ids: number[][];
  original: number[][];
  batch: number[];
  tied: boolean;
  logits: number[][];
};

const open = (place: string) => llama.load(place, { id: 'test' }) as Promise<LanguageModel>;

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, UserError, String(error));
    return (error as UserError).message;
  }
  return 'no error';
}

test('a Llama of seven types: logits are transformers’, q and k in their own order, head untied', async () => {
  const model = await open(FILE);
  assert.is(reference.tied, false);
  const { logits } = model.forward(batchOf([reference.batch], 0));
  const values = logits!.dataSync();
  const vocab = model.tokenizer.vocabSize;
  let worst = 0;
  reference.logits.forEach((row, i) => {
    row.forEach((value, j) => {
      worst = Math.max(worst, Math.abs(values[i * vocab + 7 * j]! - value));
    });
  });
  assert.ok(worst < 1e-4, `largest difference ${worst}`);
  assert.is(model.config['rms_norm_eps'], Math.fround(1e-5));
  assert.is(model.config['rope_theta'], 500);
  tf.dispose(logits!);
  model.dispose();
});

test('SentencePiece: ids are the original’s, and transformers’ but where its reading of GGUF adds no space', async () => {
  const tokenizer = await loadTokenizer(FILE);
  const differ: string[] = [];
  reference.texts.forEach((text, i) => {
    const { ids } = tokenizer.encode(text);
    assert.equal(ids, reference.original[i], text);
    if (ids.join() !== reference.ids[i]!.join()) differ.push(text);
  });
  assert.equal(differ, ['hello<s>world', '  hello']);
  assert.is(tokenizer.decode(reference.ids[1]!, { skipSpecialTokens: true }), 'the world. hello 12 é');
  assert.equal([tokenizer.bosId, tokenizer.eosId, tokenizer.unkId], [1, 2, 0]);
});

test('a folder that holds one GGUF file is that subject; several are refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'saxbench-gguf-'));
  writeFileSync(join(folder, 'a.gguf'), readFileSync(FILE));
  const outline = await llama.outline!(folder);
  assert.equal(outline, await llama.outline!(FILE));
  writeFileSync(join(folder, 'b.gguf'), readFileSync(FILE));
  assert.match(
    await refusal(llama.outline!(folder)),
    /expected one .gguf file, found 2: name one of them, as .*a.gguf/,
  );
});

const D = 4;
const TOKENS = ['Ġ', 'a', 'b', 'ab', '<e>', '<pad>'];

/** The metadata of a tiny Llama; undefined leaves a key out. */
function llamaFile(change: Record<string, TestValue | undefined> = {}, more: TestTensor[] = []): string {
  const metadata: Record<string, TestValue | undefined> = {
    'general.architecture': text('llama'),
    'llama.context_length': u32(8),
    'llama.embedding_length': u32(D),
    'llama.block_count': u32(1),
    'llama.feed_forward_length': u32(6),
    'llama.attention.head_count': u32(2),
    'llama.attention.head_count_kv': u32(1),
    'llama.attention.layer_norm_rms_epsilon': f32(1e-5),
    'tokenizer.ggml.model': text('gpt2'),
    'tokenizer.ggml.pre': text('gpt-2'),
    'tokenizer.ggml.tokens': texts(TOKENS),
    'tokenizer.ggml.token_type': ints([1, 1, 1, 1, 3, 4]),
    'tokenizer.ggml.merges': texts(['a b']),
    'tokenizer.ggml.eos_token_id': u32(4),
    ...change,
  };
  const tensors: TestTensor[] = [
    { name: 'token_embd.weight', shape: [TOKENS.length, D] },
    { name: 'blk.0.attn_norm.weight', shape: [D] },
    { name: 'blk.0.attn_q.weight', shape: [D, D] },
    { name: 'blk.0.attn_k.weight', shape: [D / 2, D] },
    { name: 'blk.0.attn_v.weight', shape: [D / 2, D] },
    { name: 'blk.0.attn_output.weight', shape: [D, D] },
    { name: 'blk.0.ffn_norm.weight', shape: [D] },
    { name: 'blk.0.ffn_gate.weight', shape: [6, D] },
    { name: 'blk.0.ffn_up.weight', shape: [6, D] },
    { name: 'blk.0.ffn_down.weight', shape: [D, 6] },
    { name: 'output_norm.weight', shape: [D] },
    ...more,
  ];
  const given = Object.entries(metadata).filter((entry): entry is [string, TestValue] => entry[1] !== undefined);
  const path = join(mkdtempSync(join(tmpdir(), 'saxbench-gguf-')), 'tiny.gguf');
  writeFileSync(path, ggufBytes({ metadata: given, tensors }));
  return path;
}

test('metadata that ask for what is not computed here are refused by key', async () => {
  const cases: [Record<string, TestValue | undefined>, RegExp][] = [
    [{ 'general.architecture': text('mamba') }, /general.architecture: expected one of .*llama.*; found "mamba"/],
    [{ 'general.architecture': undefined }, /general.architecture: expected one of .*; found nothing/],
    [{ 'llama.expert_count': u32(8) }, /keys of llama that are known here, found llama.expert_count: they may change/],
    [{ 'llama.rope.scaling.type': text('yarn') }, /llama.rope.scaling.type: expected none or linear, found "yarn"/],
    [{ 'llama.attention.head_count_kv': ints([1]) }, /head_count_kv: expected one number for all blocks/],
    [{ 'llama.attention.head_count': text('2') }, /head_count: expected a number/],
    [{ 'llama.vocab_size': u32(9) }, /llama.vocab_size: expected 6, the rows of token_embd.weight; found 9/],
    [{ 'llama.rope.dimension_count': u32(4) }, /rope.dimension_count: expected 2, that of the whole head; found 4/],
    [{ 'llama.attention.causal': flag(false) }, /attention.causal: expected true, found false/],
    [{ 'llama.block_count': undefined }, /expected a key llama.block_count, found none/],
    [{ 'llama.attention.layer_norm_rms_epsilon': undefined }, /expected a key llama.*epsilon, found none/],
    [{ 'llama.block_count': u32(2) }, /expected tensors .*model.layers.1/],
    [{ 'split.count': u32(3) }, /expected a whole model, found one of 3 parts: join them/],
  ];
  for (const [change, expected] of cases) assert.match(await refusal(llama.outline!(llamaFile(change))), expected);
  const extra = [{ name: 'blk.0.attn_q_norm.weight', shape: [2] }];
  assert.match(await refusal(llama.outline!(llamaFile({}, extra))), /no others, found blk.0.attn_q_norm.weight/);
  assert.is(await refusal(llama.outline!(llamaFile())), 'no error');
});

test('linear and Llama 3’s stretching of positions are read, of the latter only the known one', async () => {
  const linear = await readModelConfig(
    llamaFile({ 'llama.rope.scaling.type': text('linear'), 'llama.rope.scaling.factor': f32(4) }),
  );
  assert.equal(linear.json['rope_scaling'], { rope_type: 'linear', factor: 4 });
  const factors = (values: number[]) => {
    return [
      { name: 'rope_freqs.weight', shape: [values.length], data: new Uint8Array(Float32Array.from(values).buffer) },
    ];
  };
  const wide = { 'llama.embedding_length': u32(128), 'llama.rope.freq_base': f32(500_000) };
  // Wavelengths below 2,048 positions are kept, above 8,192 slowed 8 times.
  const known = Array.from({ length: 32 }, (_, i) => {
    const turns = (8192 * 500_000 ** (-i / 32)) / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - 1) / 3));
    return 1 / (kept + (1 - kept) / 8);
  });
  const { json } = await readModelConfig(llamaFile(wide, factors(known)));
  const scaling = json['rope_scaling'] as Record<string, unknown>;
  assert.is(scaling['rope_type'], 'llama3');
  assert.is(scaling['factor'], 8);
  assert.match(
    await refusal(readModelConfig(llamaFile(wide, factors([...known.slice(1), 8.5])))),
    /rope_freqs.weight.*found others/,
  );
});

test('Gemma’s merges go by the order of its tokens, whose spaces are marked; others’ by their scores', async () => {
  const tokens = ['<unk>', 'a', 'b', 'c', '  ', '▁', 'ab', 'bc'];
  const change = {
    'tokenizer.ggml.model': text('llama'),
    'tokenizer.ggml.tokens': texts(tokens),
    'tokenizer.ggml.token_type': ints([2, 1, 1, 1, 4, 1, 1, 1]),
    'tokenizer.ggml.scores': floats([0, 0, 0, 0, -1000, 0, -9, -1]),
    'tokenizer.ggml.add_space_prefix': flag(false),
    'tokenizer.ggml.eos_token_id': undefined,
  };
  assert.equal((await loadTokenizer(llamaFile(change))).encode('abc').ids, [1, 7]);
  const gemma = await loadTokenizer(llamaFile({ ...change, 'general.architecture': text('gemma2') }));
  assert.equal(gemma.encode('abc  a').ids, [6, 3, 4, 1]);
});

test('vocabularies: ids, added tokens and flags; lists that do not belong together are refused', async () => {
  const tokenizer = await loadTokenizer(llamaFile());
  assert.equal(tokenizer.encode('ab ab<e><pad>b').ids, [3, 0, 3, 4, 5, 2]);
  assert.equal([...tokenizer.specialIds], [4]);
  assert.is(tokenizer.eosId, 4);
  const flags = await loadTokenizer(
    llamaFile({ 'tokenizer.ggml.bos_token_id': u32(4), 'tokenizer.ggml.add_bos_token': flag(true) }),
  );
  assert.equal(flags.encode('a').ids, [4, 1]);
  // Llama 3's vocabularies begin with BOS where the file does not say.
  const llama3 = { 'tokenizer.ggml.bos_token_id': u32(4), 'tokenizer.ggml.pre': text('llama-bpe') };
  assert.equal((await loadTokenizer(llamaFile(llama3))).encode('a').ids, [4, 1]);
  const cases: [Record<string, TestValue | undefined>, RegExp][] = [
    [{ 'tokenizer.ggml.model': text('bert') }, /tokenizer.ggml.model: expected gpt2 or llama, found "bert"/],
    [{ 'tokenizer.ggml.model': undefined }, /tokenizer.ggml.model: expected gpt2 or llama, found nothing/],
    [{ 'tokenizer.ggml.pre': text('smolm') }, /unknown tokenizer.ggml.pre of .* 'smolm'. Did you mean: smollm/],
    [{ 'tokenizer.ggml.pre': undefined }, /tokenizer.ggml.pre: expected the name .* found nothing/],
    [{ 'tokenizer.ggml.merges': undefined }, /tokenizer.ggml.merges: expected a list of strings, found nothing/],
    [{ 'tokenizer.ggml.merges': texts(['a c']) }, /model.merges\[0\]/],
    [{ 'tokenizer.ggml.tokens': texts([...TOKENS.slice(1), 'a']) }, /"a" occurs twice, as 0 and 5/],
    [{ 'tokenizer.ggml.token_type': ints([1]) }, /token_type: expected 6 kinds, found 1/],
    [{ 'tokenizer.ggml.eos_token_id': u32(6) }, /eos_token_id: expected an id below 6, found 6/],
    [{ 'tokenizer.ggml.add_bos_token': u32(1) }, /add_bos_token: expected true or false, found 1/],
    [{ 'tokenizer.ggml.model': text('llama') }, /scores: expected 6 numbers, found nothing/],
    [
      { 'tokenizer.ggml.model': text('llama'), 'tokenizer.ggml.scores': floats([1]) },
      /scores: expected 6 numbers, found 1/,
    ],
    [
      {
        'tokenizer.ggml.model': text('llama'),
        'tokenizer.ggml.scores': floats([0, 0, 0, 0, 0, 0]),
        'tokenizer.ggml.add_space_prefix': u32(1),
      },
      /add_space_prefix: expected true or false, found 1/,
    ],
  ];
  for (const [change, expected] of cases) assert.match(await refusal(loadTokenizer(llamaFile(change))), expected);
});

test.run();
