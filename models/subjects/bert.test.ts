/** @file BERT against PyTorch: every site and the pooled embeddings of tiny models and of the real MiniLM. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Tensor2D, TextEncoderSubject } from '../../harness/contract.ts';
import { openSafetensors } from '../../harness/io/safetensors.ts';
import { writeSafetensors } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { realModel } from '../../harness/testing/real-models.ts';
import bert, { readBert } from './bert.ts';
import { configReader } from './config.ts';
import { assertClose, readGolden, testFolder } from './testing/golden.ts';

const test = suite('models/subjects/bert');
test.before(async () => {
  await initBackend('auto');
});

const open = (folder: string) => bert.load(folder, { id: 'test' }) as Promise<TextEncoderSubject>;

for (const name of ['bert', 'bert-mlm']) {
  test(`${name}: every site, the ids and the embeddings are transformers'`, async () => {
    const golden = await readGolden(name);
    const { mask, ids, ...shape } = await golden.batch();
    const empty = tf.memory().numTensors;
    const model = await open(testFolder(name));
    const loaded = tf.memory().numTensors;
    const { texts } = JSON.parse(await readFile(join(testFolder(name), 'text.golden.json'), 'utf8'));
    const tokens = model.tokenize(texts, { maxLength: 12 });
    assert.equal(tokens, { ...shape, ids, mask });
    const { embeds, captured } = model.forwardText(tokens, { capture: model.sites.map((site) => site.name) });
    for (const { name: site, kind } of model.sites) {
      const close = kind === 'tokens' ? { mask } : {};
      assertClose(site, captured[site]!, (await golden.values(site)).data, close);
    }
    assertClose('embeddings', embeds!, (await golden.values('embed')).data);
    tf.dispose([embeds!, captured]);
    assert.is(tf.memory().numTensors, loaded);
    model.dispose();
    assert.is(tf.memory().numTensors, empty);
  });
}

test('sites are those of the blocks and the embedding; nothing after the last wanted one is computed', async () => {
  const model = await open(testFolder('bert'));
  assert.is(model.sites.length, 2 * 5 + 1);
  assert.equal(model.sites.at(-1), { name: 'embed', d: 16, modality: 'text', kind: 'pooled' });
  const batch = model.tokenize(['the old tree']);
  const { captured, embeds } = model.forwardText(batch, { capture: ['blocks.0.hook_mlp_out'], output: false });
  assert.equal(captured['blocks.0.hook_mlp_out']!.shape, [1, 5, 16]);
  assert.is(embeds, undefined);
  tf.dispose(captured);
  model.dispose();
});

test('additions to linear layers are made in every stack, or refused: none is left out without a word', async () => {
  const model = await open(testFolder('bert'));
  const before = tf.memory().numTensors;
  const batch = model.tokenize(['the old tree', 'the nurse']);
  const shift = (block: number, by: number) => ({
    additions: [{ block, layer: 'down' as const, apply: (x: Tensor2D) => tf.fill([x.shape[0], 16], by) as Tensor2D }],
  });
  const passes = [{}, shift(1, 0), shift(1, 0.5)].map((options) =>
    model.forwardText(batch, { ...options, capture: ['blocks.1.hook_mlp_out'] }),
  );
  const [plain, same, moved] = passes.map(({ captured }) => [...captured['blocks.1.hook_mlp_out']!.dataSync()]);
  assert.equal(same, plain);
  assert.ok(moved!.every((value, i) => Math.abs(value - plain![i]! - 0.5) < 1e-5));
  assert.throws(() => model.forwardText(batch, shift(2, 1)), /block 2: expected a linear layer of a block from 0 to 1/);
  for (const { embeds, captured } of passes) tf.dispose([embeds!, captured]);
  assert.is(tf.memory().numTensors, before);
  model.dispose();
});

test('a text has the same embedding alone and beside a longer one; long texts keep their end', async () => {
  const model = await open(testFolder('bert'));
  const both = model.forwardText(model.tokenize(['the old tree', 'the nurse wrote about what she had seen']));
  const alone = model.forwardText(model.tokenize(['the old tree']));
  assertClose('embedding', tf.slice(both.embeds!, [0, 0], [1, 16]), alone.embeds!.dataSync(), { tolerance: 1e-6 });
  const long = model.tokenize(['nurse '.repeat(40)]);
  assert.equal([long.length, long.ids[11]], [12, 3], 'sentence_bert_config.json bounds the length');
  const ids = new Int32Array(17).fill(7);
  const mask = new Uint8Array(17).fill(1);
  assert.throws(() => model.forwardText({ n: 1, length: 17, ids, mask }), /at most 16 ids, found 17/);
  tf.dispose([both.embeds!, alone.embeds!]);
  model.dispose();
});

test('files from before the names of norms changed are read, and with the names of both times refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-bert-'));
  await cp(testFolder('bert-mlm'), folder, { recursive: true });
  const weights = join(folder, 'model.safetensors');
  const tensors = await (await openSafetensors(weights)).readAll();
  const older = (name: string) => name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('Norm.bias', 'Norm.beta');
  const old = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [older(name), tensor]));
  assert.ok('bert.encoder.layer.0.output.LayerNorm.beta' in old);
  type Tensors = Parameters<typeof writeSafetensors>[1];
  const head = { dtype: 'F32', shape: [2], data: new Float32Array(2) };
  await writeSafetensors(weights, { ...old, 'classifier.bias': head } as Tensors);
  await bert.outline!(folder);
  const model = await open(folder);
  const golden = await readGolden('bert-mlm');
  const { embeds } = model.forwardText(await golden.batch());
  assertClose('embeddings', embeds!, (await golden.values('embed')).data);
  embeds!.dispose();
  model.dispose();
  const twice = 'bert.embeddings.LayerNorm.weight';
  await writeSafetensors(weights, { ...old, [twice]: tensors[twice] } as Tensors);
  await bert.outline!(folder).then(
    () => assert.unreachable(),
    ({ message }: Error) => assert.match(message, /and no others, found .*bert\.embeddings\.LayerNorm\.gamma/),
  );
  await rm(folder, { recursive: true });
});

test('pooling is what modules.json says; other modules and poolings are refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-bert-'));
  await cp(testFolder('bert'), folder, { recursive: true });
  const write = (path: string, json: unknown) => writeFile(join(folder, path), JSON.stringify(json));
  const modules: { type: string; path: string }[] = JSON.parse(await readFile(join(folder, 'modules.json'), 'utf8'));
  await write('modules.json', modules.slice(0, 2));
  await write('1_Pooling/config.json', { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false });
  const model = await open(folder);
  const golden = await readGolden('bert');
  const { embeds } = model.forwardText(await golden.batch());
  assertClose('first states', embeds!, (await golden.values('cls')).data);
  embeds!.dispose();
  model.dispose();
  const refusal = () =>
    // What is known before the model is loaded is found before anything is computed.
    bert.outline!(folder).then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  await write('1_Pooling/config.json', { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true });
  assert.match(await refusal(), /expected one pooling, .*; found cls, mean/);
  await write('1_Pooling/config.json', { pooling_mode_max_tokens: true });
  assert.match(await refusal(), /found pooling_mode_max_tokens/);
  await write('modules.json', [...modules, { type: 'x.Dense', path: '3_Dense' }]);
  assert.match(await refusal(), /expected the modules Transformer, Pooling and, perhaps, Normalize; found .*Dense/);
  await write('modules.json', [modules[0], { ...modules[1], path: '../elsewhere' }]);
  assert.match(await refusal(), /expected modules with a type and a folder of their own/);
  await write('modules.json', [modules[0], { ...modules[1], path: 'pooling' }]);
  await cp(join(folder, '1_Pooling'), join(folder, 'pooling'), { recursive: true });
  assert.match(await refusal(), /expected the module Pooling at 1_Pooling, found .pooling.\./);
  await rm(join(folder, 'modules.json'));
  await symlink(join(folder, 'blobs', 'gone'), join(folder, 'modules.json'));
  assert.match(await refusal(), /modules\.json/, 'a link to nothing is no folder without modules');
  await rm(join(folder, 'modules.json'));
  await write('config_sentence_transformers.json', { prompts: { query: 'query: ' }, default_prompt_name: 'query' });
  assert.match(await refusal(), /default_prompt_name: expected null/);
  await write('config_sentence_transformers.json', { prompts: { query: 'query: ' }, default_prompt_name: null });
  await write('sentence_bert_config.json', { max_seq_length: 12, do_lower_case: true });
  assert.match(await refusal(), /do_lower_case: expected false/);
  await write('sentence_bert_config.json', [12]);
  assert.match(await refusal(), /sentence_bert_config\.json: expected a JSON object/);
  await rm(folder, { recursive: true });
});

test('positions that are not absolute, and decoders, are refused by name', () => {
  const read = (json: Record<string, unknown>) => readBert(configReader(json, 'bert config.json'));
  assert.is(read({}).stack.d, 768);
  assert.throws(
    () => read({ position_embedding_type: 'relative_key' }),
    /position_embedding_type: expected one of absolute/,
  );
  assert.throws(() => read({ is_decoder: true }), /is_decoder/);
  assert.throws(() => read({ hidden_size: 10 }), /num_attention_heads: expected a divisor/);
});

test('the real MiniLM: hidden states and embeddings are those of transformers', async () => {
  const folder = realModel('minilm-l6');
  if (!folder) return;
  const golden = await openSafetensors(join(testFolder('minilm-l6.golden.safetensors')));
  const texts = [
    'hello world',
    'The patient was given aspirin for the fever.',
    'Stocks fell sharply on Tuesday after the bank raised its rates; bonds rose.',
    `Ångström naïve café 中文 🙂 x${'y'.repeat(120)}`,
    'the cat sat on the mat and looked at the moon '.repeat(60),
  ];
  const model = await open(folder);
  const { embeds } = model.forwardText(model.tokenize(texts));
  assertClose('embeddings', embeds!, await golden.readFloat('embed'));
  const sites = ['blocks.0.hook_resid_pre', ...Array.from({ length: 6 }, (_, i) => `blocks.${i}.hook_resid_post`)];
  const { captured } = model.forwardText(model.tokenize(texts.slice(0, 1)), { capture: sites, output: false });
  const states = tf.concat(sites.map((site) => captured[site]!));
  assertClose('hidden states', states, await golden.readFloat('states'));
  tf.dispose([embeds!, captured, states]);
  model.dispose();
});

test.run();
