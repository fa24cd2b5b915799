/** @file Configs of every family of language models: defaults, published models, what is refused, hostile values. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { type CausalLm, causalLmShapes } from './causal-lm.ts';
import { configReader } from './config.ts';
import { readTiny, TINY_MODELS } from './testing/families.ts';
import { countParameters } from './weights.ts';

const test = suite('models/subjects/family-configs');
test.before(async () => {
  await initBackend('wasm');
});

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
  const defaults = (await readTiny('.', 'defaults.json')) as Record<string, Record<string, unknown>>;
  for (const [type, config] of Object.entries(defaults)) {
    const read = Object.values(TINY_MODELS).find(({ plugin }) => plugin.modelTypes[0] === type)!.read;
    const bare = read(configReader({ num_layers: config['num_layers'] }, type));
    assert.ok(written(bare) === written(read(configReader(config, type))), type);
  }
});

test('configs of published models are read, old and new alike, with as many parameters as transformers counts', async () => {
  const published = (await readTiny('.', 'real.json')) as Record<string, Record<string, unknown>>;
  const golden = await readTiny('.', 'real.golden.json');
  for (const [name, config] of Object.entries(published)) {
    const { read } = Object.values(TINY_MODELS).find(({ plugin }) =>
      plugin.modelTypes.includes(`${config['model_type']}`),
    )!;
    const { config: newer, parameters } = golden[name] as { config: Record<string, unknown>; parameters: number };
    const lm = read(configReader(config, name));
    assert.is(countParameters(causalLmShapes(lm)), parameters, name);
    assert.ok(written(lm) === written(read(configReader(newer, name))), name);
  }
});

test('Gemma 3 that reads images says what ends a turn beside its language model’s config', async () => {
  const config = await readTiny('gemma3-images', 'config.json');
  const { read } = TINY_MODELS['gemma3-images']!;
  assert.equal(read(configReader({ ...config, eos_token_id: [1, 106] }, 'test')).eosId, [1, 106]);
  const text_config = { ...(config['text_config'] as object), eos_token_id: 7 };
  assert.equal(read(configReader({ ...config, text_config, eos_token_id: undefined }, 'test')).eosId, [7]);
});

const YARN = {
  rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
  rope_parameters: null,
};
const LONG = { rope_type: 'longrope', rope_theta: 1e4, short_factor: [1, 1, 1], long_factor: [1, 1, 1] };

/** By tiny model: fields in place of its own, and what is said of them. */
const FAULTS: [string, object, RegExp][] = [
  ['gpt-neox', { num_attention_heads: 5 }, /num_attention_heads: expected a divisor of hidden_size \(32\), found 5/],
  [
    'gpt-neox',
    { rope_parameters: { partial_rotary_factor: 0.4 } },
    /rope_parameters: field partial_rotary_factor: .*found 0\.4/,
  ],
  ['gpt-neox', { rope_parameters: null, rotary_pct: 1.5 }, /rotary_pct: expected a share .*, found 1\.5/],
  [
    'gpt-neox',
    { rope_parameters: { rope_type: 'dynamic', factor: 2 } },
    /rope_type: expected one of default, linear, llama3/,
  ],
  ['gpt-neox', { head_dim: 16 }, /head_dim: expected 8, which alone/],
  ['gpt-neox', { hidden_act: 'relu' }, /hidden_act: expected one of .*found "relu"/],
  ['qwen2', YARN, /rope_scaling: field rope_type: expected one of .*found "yarn"/],
  ['qwen2', { use_mrope: true }, /use_mrope: expected false/],
  [
    'qwen2',
    { layer_types: ['full_attention'] },
    /layer_types: expected a list of 3, each one of full_attention, sliding_att/,
  ],
  ['qwen2', { layer_types: Array(3).fill('chunked_attention') }, /layer_types: expected a list of 3/],
  ['qwen2', { use_sliding_window: false }, /sliding_window: expected a size, since layers have a window/],
  ['qwen2', { rope_scaling: { type: 'linear', factor: 2 } }, /rope_scaling: expected none beside rope_parameters/],
  [
    'qwen3',
    { rope_parameters: { full_attention: { rope_theta: 5 } } },
    /full_attention: expected the same positions for all/,
  ],
  ['qwen3', { head_dim: 15 }, /head_dim: expected an even number/],
  ['mistral', { layer_types: ['full_attention', 'sliding_attention'] }, /layer_types: expected one kind of layer/],
  ['mistral', { sliding_window: 0 }, /sliding_window: expected an integer from 1/],
  [
    'mistral',
    { sliding_window: null, layer_types: Array(2).fill('sliding_attention') },
    /sliding_window: expected a size/,
  ],
  ['gemma2', { use_bidirectional_attention: true }, /use_bidirectional_attention: expected false/],
  ['gemma2', { sliding_window: null }, /sliding_window: expected a size.*found null/],
  ['gemma2', { attn_logit_softcapping: -1 }, /attn_logit_softcapping: expected a positive number/],
  ['gemma2', { query_pre_attn_scalar: 0 }, /query_pre_attn_scalar: expected a positive number/],
  ['gemma2', { hidden_activation: 'gelu_python' }, /hidden_activation: expected one of/],
  ['gemma3', { attn_logit_softcapping: 50 }, /attn_logit_softcapping: expected null/],
  [
    'gemma3',
    { rope_parameters: { rope_theta: 5 } },
    /rope_parameters: expected sections full_attention and sliding_att/,
  ],
  ['gemma3', { use_bidirectional_attention: true }, /use_bidirectional_attention: expected false/],
  [
    'gemma3-images',
    { text_config: { final_logit_softcapping: 30 } },
    /text_config: field final_logit_softcapping: expected null/,
  ],
  ['gemma3-images', { text_config: [] }, /text_config: expected an object/],
  ['gpt-neo', { attention_types: [[['global', 'local'], 2]] }, /attention_types: expected .*3 kinds in all, found/],
  ['gpt-neo', { attention_types: [[['sparse'], 3]] }, /attention_types: expected/],
  ['gpt-neo', { attention_types: [[['global'], 1e9]] }, /attention_types: expected/],
  ['gpt-neo', { attention_types: [[[], 1e9]] }, /attention_types: expected/],
  ['gpt-neo', { attention_layers: Array(3).fill('global') }, /attention_layers: expected what attention_types says/],
  [
    'phi3',
    { rope_parameters: { rope_type: 'yarn' } },
    /rope_type: expected one of default, longrope, su, found "yarn"/,
  ],
  ['phi3', { num_key_value_heads: 3 }, /num_key_value_heads: expected a divisor of num_attention_heads \(4\)/],
  [
    'phi3-long',
    { rope_parameters: { ...LONG, partial_rotary_factor: 1 } },
    /short_factor: expected a list of 4 positive numbers/,
  ],
  ['olmo2', { rms_norm_eps: 0 }, /rms_norm_eps: expected a positive number/],
  ['olmo2', { partial_rotary_factor: 0.5 }, /partial_rotary_factor: expected 1, which alone/],
];

test('what is impossible or not computed here is refused by its name, in one line', async () => {
  for (const [name, fields, message] of FAULTS) {
    const config = { ...(await readTiny(name, 'config.json')), ...fields };
    assert.throws(
      () => TINY_MODELS[name]!.read(configReader(config, name)),
      (error: Error) => error instanceof UserError && message.test(error.message) && !error.message.includes('\n'),
      `${name} ${JSON.stringify(fields)}`,
    );
  }
});

test('whatever stands in a field, a config is read or refused', async () => {
  const hostile = [null, -1, 0, 0.5, 7, 1e99, 'x', true, false, [], [null], {}, { rope_type: 'linear' }, '__proto__'];
  for (const [name, { read }] of Object.entries(TINY_MODELS)) {
    const config = await readTiny(name, 'config.json');
    const text = config['text_config'] as Record<string, unknown> | undefined;
    for (const field of Object.keys(text ?? config)) {
      for (const value of hostile) {
        const edited = { ...(text ?? config), [field]: value };
        try {
          causalLmShapes(read(configReader(text ? { ...config, text_config: edited } : edited, name)));
        } catch (error) {
          assert.instance(error, UserError, `${name}: ${field} ${JSON.stringify(value)}: ${error}`);
        }
      }
    }
  }
});

test.run();
