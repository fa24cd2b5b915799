/** @file GGUF files of the families beside Llama: the same numbers as the same model in Hugging Face's layout. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LanguageModel, UserError } from '../../harness/contract.ts';
import { openSafetensors } from '../../harness/io/safetensors.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { f32, ggufBytes, type TestTensor, type TestValue, text, texts, u32 } from '../../harness/testing/gguf.ts';
import { batchOf } from './load.ts';
import { openTiny, TINY_MODELS } from './testing/families.ts';
import { assertClose } from './testing/golden.ts';

const test = suite('models/subjects/gguf-families');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-gguf-families-'));
test.before(async () => {
  await initBackend('wasm');
});
test.after(() => rmSync(folder, { recursive: true }));

/** Names of the gguf package for tensors of Hugging Face's layout. */
const NAMES: readonly [RegExp, string][] = [
  [/^model\.layers\.(\d+)\./, 'blk.$1.'],
  [/^model\.embed_tokens/, 'token_embd'],
  [/^model\.norm/, 'output_norm'],
  [/^lm_head/, 'output'],
  [/self_attn\.o_proj/, 'attn_output'],
  [/self_attn\.([qk])_norm/, 'attn_$1_norm'],
  [/self_attn\.(q|k|v|qkv)_proj/, 'attn_$1'],
  [/mlp\.gate_up_proj/, 'ffn_up'],
  [/mlp\.(gate|up|down)_proj/, 'ffn_$1'],
  [/input_layernorm/, 'attn_norm'],
  [/pre_feedforward_layernorm/, 'ffn_norm'],
  [/post_feedforward_layernorm/, 'post_ffw_norm'],
];

/** What files of every family say. */
const common = (layers: number, kvHeads: number): Record<string, TestValue> => ({
  context_length: u32(64),
  embedding_length: u32(32),
  block_count: u32(layers),
  feed_forward_length: u32(48),
  'attention.head_count': u32(4),
  'attention.head_count_kv': u32(kvHeads),
});
const width = (headDim: number) => ({ 'attention.key_length': u32(headDim), 'attention.value_length': u32(headDim) });
const epsilon = (value: number) => ({ 'attention.layer_norm_rms_epsilon': f32(value) });
const linear = (factor: number) => ({ 'rope.scaling.type': text('linear'), 'rope.scaling.factor': f32(factor) });

/** By tiny model: the metadata, and what its config has instead of its own so that GGUF can say it. */
const FILES: Record<string, { metadata: Record<string, TestValue>; config?: Record<string, unknown> }> = {
  qwen2: {
    metadata: { ...common(3, 2), ...epsilon(1e-6), 'rope.freq_base': f32(1000) },
    config: { use_sliding_window: false, layer_types: null },
  },
  qwen3: {
    metadata: { ...common(2, 2), ...epsilon(1e-6), ...width(16), ...linear(4), 'rope.freq_base': f32(1000) },
  },
  gemma2: {
    metadata: {
      ...common(3, 2),
      ...epsilon(1e-6),
      ...width(16),
      'attention.sliding_window': u32(4),
      attn_logit_softcapping: f32(2),
      final_logit_softcapping: f32(5),
    },
    config: { query_pre_attn_scalar: 16 },
  },
  gemma3: {
    metadata: {
      ...common(3, 1),
      ...epsilon(1e-6),
      ...width(16),
      ...linear(8),
      'rope.freq_base': f32(1000),
      'rope.freq_base_swa': f32(100),
      'attention.sliding_window': u32(4),
      final_logit_softcapping: f32(7),
    },
    config: { query_pre_attn_scalar: 16, layer_types: null, sliding_window_pattern: null },
  },
  olmo2: { metadata: { ...common(2, 2), ...epsilon(1e-5), 'rope.freq_base': f32(500) } },
  phi3: {
    metadata: {
      ...common(2, 2),
      ...epsilon(1e-5),
      'rope.dimension_count': u32(8),
      'rope.freq_base': f32(10000),
      'attention.sliding_window': u32(5),
    },
  },
};

/** Writes the weights of a model's folder as a GGUF file with these metadata. */
async function writeGguf(name: string, from: string, own: Record<string, TestValue>): Promise<string> {
  const source = await openSafetensors(join(from, 'model.safetensors'));
  const tensors: TestTensor[] = [];
  const gains = name.startsWith('gemma') ? 1 : 0;
  const after = source.names.some((tensor) => tensor.includes('post_feedforward_layernorm'));
  const renamed = [...NAMES, [/post_attention_layernorm/, after ? 'post_attention_norm' : 'ffn_norm'] as const];
  for (const tensor of source.names) {
    const values = await source.readFloat(tensor);
    const data = tensor.endsWith('norm.weight') ? values.map((value) => value + gains) : values;
    tensors.push({
      name: renamed.reduce((found, [pattern, to]) => found.replace(pattern, to), tensor),
      shape: source.info(tensor).shape,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    });
  }
  const metadata: [string, TestValue][] = [
    ['general.architecture', text(name)],
    ...Object.entries(own).map(([key, value]): [string, TestValue] => [`${name}.${key}`, value]),
    ['tokenizer.ggml.model', text('gpt2')],
    ['tokenizer.ggml.pre', text('gpt-2')],
    ['tokenizer.ggml.tokens', texts(Array.from({ length: 50 }, (_, i) => `w${i}`))],
    ['tokenizer.ggml.merges', texts([])],
  ];
  const path = join(folder, `${name}.gguf`);
  writeFileSync(path, ggufBytes({ metadata, tensors }));
  return path;
}

const BATCH = batchOf([[1, 5, 9, 13, 17, 21, 25], [1, 8, 6], [4]], 7);

for (const [name, { metadata, config }] of Object.entries(FILES)) {
  test(`${name}: logits are those of the model in Hugging Face's layout`, async () => {
    const { plugin } = TINY_MODELS[name]!;
    const here = join(folder, name);
    const model = await openTiny(name, here, config ? { config } : {});
    const path = await writeGguf(name, here, metadata);
    const other = (await plugin.load(path, { id: name })) as LanguageModel;
    assert.is(other.parameters, model.parameters);
    const [expected, found] = [model.forward(BATCH).logits!, other.forward(BATCH).logits!];
    assertClose('logits', found, expected.dataSync(), { mask: BATCH.mask, tolerance: 1e-5 });
    tf.dispose([expected, found]);
    model.dispose();
    other.dispose();
    const strange = await writeGguf(name, here, { ...metadata, expert_count: u32(2) });
    const error: unknown = await plugin.outline!(strange).catch((reason: unknown) => reason);
    assert.instance(error, UserError);
    assert.match((error as UserError).message, new RegExp(`found ${name}\\.expert_count: they may change the numbers`));
  });
}

test.run();
