/** @file Every family of language models against transformers: sites, logits and greedy ids, on files and configs of any form. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LanguageModel, type Tensor, type Tensor3D, type TokenBatch, UserError } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { batchOf } from './load.ts';
import { openTiny, readTiny, readTinyGolden, TINY_MODELS, type TinyGolden } from './testing/families.ts';
import { assertClose } from './testing/golden.ts';

const test = suite('models/subjects/families');
let folder = '';
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-families-'));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

/** Values at the real positions, in their order. */
function real(x: Tensor, { mask }: TokenBatch): Tensor {
  const rows = [...mask.keys()].filter((at) => mask[at] === 1);
  return tf.gather(tf.reshape(x, [mask.length, -1]), tf.tensor1d(rows, 'int32'));
}

/** Compares sites, logits and greedy ids. */
async function compare(model: LanguageModel, golden: TinyGolden): Promise<void> {
  const batch = batchOf(golden.rows, 7);
  const before = tf.memory().numTensors;
  assert.equal(model.sites.map(({ name }) => name).sort(), [...golden.sites].sort());
  const expected = new Map<string, Float32Array>();
  for (const site of [...golden.sites, 'logits']) expected.set(site, await golden.at(site));
  tf.tidy(() => {
    const { logits, captured } = model.forward(batch, { capture: golden.sites });
    for (const site of golden.sites) assertClose(site, real(captured[site]!, batch), expected.get(site)!);
    assertClose('logits', real(logits!, batch), expected.get('logits')!);
    // Without a look inside, blocks may run in one operation; with four rows they do.
    const more = batchOf([...golden.rows, [1]], 7);
    const plain = real(model.forward(more).logits!, more);
    const rows = plain.shape[0]! - 1;
    assertClose('logits', tf.slice(plain, [0, 0], [rows, plain.shape[1]!]), expected.get('logits')!);
  });
  for (const rows of [[], [[], []]]) {
    const { logits, captured } = model.forward(batchOf(rows, 7), { capture: golden.sites });
    assert.equal(logits!.shape, [rows.length, 0, 50]);
    tf.dispose([logits!, captured]);
  }
  for (const rows of [golden.rows, [...golden.rows, [1]]]) {
    const generated = await model.generate(rows, { maxNewTokens: 8, eosId: -1 });
    assert.equal(generated.slice(0, 3), golden.greedy);
  }
  assert.is(tf.memory().numTensors, before);
}

for (const [name, { what, plugin }] of Object.entries(TINY_MODELS)) {
  test(`${name}, wasm, in three shards of bfloat16: transformers' numbers (${what})`, async () => {
    await initBackend('wasm');
    const empty = tf.memory().numTensors;
    const model = await openTiny(name, folder, { dtype: 'BF16', shards: 3 });
    assert.equal(await plugin.outline!(folder), { sites: model.sites, parameters: model.parameters });
    await compare(model, await readTinyGolden(name));
    model.dispose();
    assert.is(tf.memory().numTensors, empty);
  });

  test(`${name}, native, a config of transformers 4: transformers' numbers`, async () => {
    await initBackend('native').catch(() => initBackend('wasm'));
    const config = await readTiny(name, 'config.old.json');
    const empties = Object.fromEntries(
      Object.keys(await readTiny(name, 'config.json')).map((field) => [field, undefined]),
    );
    const model = await openTiny(name, folder, { config: { ...empties, ...config } });
    await compare(model, await readTinyGolden(name));
    model.dispose();
  });
}

test('windows hold for rows that go on after others have ended, and for some of the rows', async () => {
  await initBackend('wasm');
  for (const name of ['mistral', 'gpt-neo', 'gemma3']) {
    const model = await openTiny(name, folder);
    const prompts = [
      [9, 23, 31, 4, 17],
      [1, 40, 22, 13, 8],
      [6, 5, 33, 19, 28],
    ];
    const options = { maxNewTokens: 12, seed: 3, temperature: 1 };
    const free = await model.generate(prompts, { ...options, eosId: -1 });
    const eosId = free[0]![2]!;
    const ended = free.map((ids) => ids.slice(0, ids.includes(eosId) ? ids.indexOf(eosId) : 12));
    assert.ok(
      ended.some((ids) => ids.length === 12),
      `${name}: a row that goes on to the end`,
    );
    const interventions = [{ site: 'blocks.0.hook_resid_post', apply: (x: Tensor3D) => x }];
    assert.equal(await model.generate(prompts, { ...options, eosId, interventions }), ended, name);
    assert.equal(await model.generate(prompts, { ...options, eosId }), ended, name);
    model.dispose();
  }
});

test('longrope: the longest text is what its short factors are for', async () => {
  await initBackend('wasm');
  const model = await openTiny('phi3-long', folder);
  assert.is(model.maxLength, 24);
  assert.throws(() => model.forward(batchOf([Array(25).fill(5)], 0)), /at most 24 ids.*longrope.*, found 25/);
  const [ids] = await model.generate([Array(20).fill(7)], { maxNewTokens: 100, eosId: -1 });
  assert.is(ids!.length, 4);
  model.dispose();
});

test('weights of another model are refused by name', async () => {
  await initBackend('wasm');
  const message = async (name: string, config: Record<string, unknown>) => {
    const error: unknown = await openTiny(name, folder, { config }).catch((reason: unknown) => reason);
    assert.instance(error, UserError);
    return (error as UserError).message;
  };
  assert.match(
    await message('gpt-neox', { attention_bias: false }),
    /no others, found gpt_neox\.layers\.\{0,1\}\.attention\.dense\.bias/,
  );
  assert.match(
    await message('qwen3', { model_type: 'qwen3', attention_bias: false }),
    /no others, found model\.layers/,
  );
  assert.match(
    await message('phi3', { intermediate_size: 40 }),
    /gate_up_proj\.weight': expected shape \[80, 32\], found \[96, 32\]/,
  );
  assert.match(
    await message('gpt-neo', { max_position_embeddings: 23 }),
    /wpe\.weight': expected shape \[23, 32\], found \[24, 32\]/,
  );
  assert.match(await message('gemma2', { tie_word_embeddings: false }), /expected tensor lm_head\.weight \[50, 32\]/);
});

test.run();
