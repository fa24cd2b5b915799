/** @file Broken folders: each fault is one line that names file, tensor, expected and found. */
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../harness/contract.ts';
import { openSafetensors } from '../../harness/io/safetensors.ts';
import { writeSafetensors } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import clip from './clip.ts';
import llama from './llama.ts';
import { testFolder } from './testing/golden.ts';
import { loadParams } from './weights.ts';

const test = suite('models/subjects/weights');
let folder = '';
test.before(async () => {
  await initBackend('wasm');
});
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-subject-'));
});
test.after.each(async () => {
  await rm(folder, { recursive: true, force: true });
});

const WEIGHTS = 'model.safetensors';
const NORM = 'model.layers.1.input_layernorm.weight';

/** Copies a subject, spoils it, and gives the message of the error that loading then throws. */
async function messageAfter(spoil: () => Promise<unknown>, family = llama, name = 'llama-bf16'): Promise<string> {
  await cp(testFolder(name), folder, { recursive: true });
  await rm(join(folder, 'golden.safetensors'));
  await spoil();
  const before = tf.memory().numTensors;
  const error: unknown = await family.load(folder, { id: 'broken' }).catch((reason: unknown) => reason);
  assert.instance(error, UserError);
  assert.is(tf.memory().numTensors, before, 'tensors left behind');
  const { message } = error as UserError;
  // What headers show is found by the outline too, before anything is loaded.
  const early: unknown = await family.outline!(folder).catch((reason: unknown) => reason);
  if (/NaN|finite|floating type|tokenizer|preprocessor_config/.test(message)) return message;
  assert.is((early as Error).message, message);
  assert.not.match(message, /\n/);
  return message;
}

type Change = (tensors: Record<string, { dtype: string; shape: number[]; data: Float32Array }>) => void;

async function rewrite(change: Change): Promise<void> {
  const tensors = await (await openSafetensors(join(folder, WEIGHTS))).readAll();
  change(tensors as Parameters<Change>[0]);
  await writeSafetensors(join(folder, WEIGHTS), tensors as Parameters<typeof writeSafetensors>[1]);
}

async function editConfig(fields: Record<string, unknown>): Promise<void> {
  const path = join(folder, 'config.json');
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...fields }));
}

test('truncated weights', async () => {
  const message = await messageAfter(() => truncate(join(folder, WEIGHTS), 20000));
  assert.match(message, /model\.safetensors/);
});

test('a tensor that is not there', async () => {
  const message = await messageAfter(() => rewrite((tensors) => delete tensors[NORM]));
  assert.match(message, /model\.safetensors: expected tensor model\.layers\.1\.input_layernorm\.weight \[24\]/);
  assert.match(message, /found none of this name; no tensor is left over\./);
});

test('a tensor too many is named, one of another kind for all blocks; what the model computes itself is not', async () => {
  const bias = { dtype: 'F32', shape: [24], data: new Float32Array(24) };
  const extra = () =>
    rewrite((tensors) => {
      for (const layer of [0, 1]) tensors[`model.layers.${layer}.self_attn.q_norm.bias`] = bias;
      tensors['model.layers.0.self_attn.rotary_emb.inv_freq'] = bias;
    });
  assert.match(await messageAfter(extra), /no others, found model\.layers\.\{0,1\}\.self_attn\.q_norm\.bias: without/);
  const indices = () =>
    rewrite((tensors) => {
      tensors['text_model.embeddings.position_ids'] = bias;
      tensors['vision_model.post_layernorm.scale'] = bias;
    });
  assert.match(
    await messageAfter(indices, clip, 'clip-quick-gelu'),
    /no others, found vision_model\.post_layernorm\.scale:/,
  );
});

test('a shape that the config does not give', async () => {
  const message = await messageAfter(() => editConfig({ intermediate_size: 33 }));
  assert.match(message, /mlp\.gate_proj\.weight': expected shape \[33, 24\], found \[32, 24\]/);
});

for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
  test(`${value} in the weights`, async () => {
    const message = await messageAfter(() =>
      rewrite((tensors) => {
        tensors[NORM]!.data[5] = value;
      }),
    );
    assert.match(message, /model\.safetensors: tensor 'model\.layers\.1\.input_layernorm\.weight'/);
    assert.match(message, /NaN|Infinity|finite/);
  });
}

test('weights of a type that is no number', async () => {
  const message = await messageAfter(() =>
    rewrite((tensors) => {
      tensors[NORM]!.dtype = 'I32';
      tensors[NORM]!.data.fill(1);
    }),
  );
  assert.match(message, /input_layernorm\.weight': expected a floating type .* found I32/);
});

test('no tokenizer, no config, no weights, no preprocessor', async () => {
  for (const file of ['tokenizer.json', 'config.json', WEIGHTS]) {
    assert.match(await messageAfter(() => rm(join(folder, file))), new RegExp(file.replace('.', '\\.')));
  }
  const message = await messageAfter(() => rm(join(folder, 'preprocessor_config.json')), clip, 'clip-quick-gelu');
  assert.match(message, /preprocessor_config\.json/);
});

test('a tokenizer of another model', async () => {
  const message = await messageAfter(async () => {
    await editConfig({ vocab_size: 40 });
  });
  assert.match(message, /the config has vocab_size 40, the tokenizer has ids up to 49/);
});

test('fields of the config', async () => {
  const faults: [Record<string, unknown>, RegExp][] = [
    [{ hidden_size: 'wide' }, /config\.json: field hidden_size: expected an integer from 1 to \d+, found "wide"/],
    [{ num_hidden_layers: 0 }, /num_hidden_layers/],
    [{ num_hidden_layers: 1e7 }, /num_hidden_layers: expected an integer from 1 to 4096, found 10000000/],
    [{ num_key_value_heads: 4 }, /num_key_value_heads: expected a divisor of num_attention_heads \(6\), found 4/],
    [{ head_dim: 7 }, /head_dim: expected an even number/],
    [{ rms_norm_eps: -1 }, /rms_norm_eps: expected a positive number, found -1/],
    [{ hidden_act: 'relu' }, /hidden_act: expected one of silu, .*found "relu"/],
    [
      { rope_parameters: { rope_type: 'yarn' } },
      /rope_parameters: field rope_type: expected one of default, linear, llama3, found "yarn"/,
    ],
    [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor: expected 1, which alone is computed here, found 0\.5/],
    [{ tie_word_embeddings: 'no' }, /tie_word_embeddings: expected true or false, found "no"/],
  ];
  for (const [fields, message] of faults) {
    assert.match(await messageAfter(() => editConfig(fields)), message);
  }
});

test('a config that is no object', async () => {
  assert.match(
    await messageAfter(() => writeFile(join(folder, 'config.json'), '[]')),
    /config\.json: expected a JSON object/,
  );
  assert.match(await messageAfter(() => writeFile(join(folder, 'config.json'), '{')), /config\.json is not valid JSON/);
});

test('the parts of a fused layer lie in the order of its split, whatever the order of the shapes', async () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  await writeSafetensors(join(folder, WEIGHTS), { 'both.weight': { dtype: 'F32', shape: [3, 2], data } });
  const shapes = { 'gate.weight': [1, 2], 'up.weight': [2, 2] };
  const valuesOf = async (split: string[]) => {
    const params = await loadParams(folder, shapes, { linears: { both: { split } } });
    const values = Object.keys(shapes).map((name) => [...params[name]!.dataSync()]);
    tf.dispose(params);
    return values;
  };
  assert.equal(await valuesOf(['gate', 'up']), [
    [1, 2],
    [3, 4, 5, 6],
  ]);
  assert.equal(await valuesOf(['up', 'gate']), [
    [5, 6],
    [1, 2, 3, 4],
  ]);
});

test('a split by heads into parts of several sizes is refused, also where the numbers would fit', async () => {
  const data = new Float32Array(12);
  await writeSafetensors(join(folder, WEIGHTS), { 'qkv.weight': { dtype: 'F32', shape: [6, 2], data } });
  const shapes = { 'q.weight': [4, 2], 'k.weight': [1, 2], 'v.weight': [1, 2] };
  const linears = { qkv: { split: ['q', 'k', 'v'], heads: 2 } };
  const error: unknown = await loadParams(folder, shapes, { linears }).catch((reason: unknown) => reason);
  assert.instance(error, UserError);
  assert.match((error as Error).message, /'qkv\.weight': expected parts of one size .* found 4, 1, 1\./);
});

test.run();
