/** @file Every family of language models against transformers: sites, logits and greedy ids, on files and configs of any form. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LanguageModel, Tensor, TokenBatch } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import type { CausalLm } from './causal-lm.ts';
import { configReader } from './config.ts';
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

/** An architecture with what its functions give. */
const written = ({ files, positions, stack, ...lm }: CausalLm): string =>
  tf.tidy(() => {
    const layers = [...Array(stack.layers).keys()];
    const { blockPrefix, window, ...rest } = stack;
    const both = 'rotary' in positions ? [positions.rotary, positions.localRotary] : [];
    const tables = both.map((rotary) => rotary && [...rotary.tables([0, 9]).sin.dataSync()]);
    const windows = window && [window.size, layers.map(window.in)];
    return JSON.stringify({
      lm,
      rest,
      prefixes: layers.map(blockPrefix),
      windows,
      tables,
      buffers: `${files?.buffers}`,
    });
  });

test('what a config leaves out is what the configuration classes of transformers say', async () => {
  await initBackend('wasm');
  const defaults = (await readTiny('.', 'defaults.json')) as Record<string, Record<string, unknown>>;
  for (const [type, config] of Object.entries(defaults)) {
    const read = Object.values(TINY_MODELS).find(({ plugin }) => plugin.modelTypes[0] === type)!.read;
    const { bos_token_id, eos_token_id } = config;
    const bare = read(configReader({ bos_token_id, eos_token_id, num_layers: config['num_layers'] }, type));
    assert.is(written(bare), written(read(configReader(config, type))), type);
  }
});

test.run();
