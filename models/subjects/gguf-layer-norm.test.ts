/** @file GGUF files of GPT-2 and GPT-NeoX against transformers: names, transposes, the order of fused rows, partly turned heads. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LanguageModel } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { refusal } from '../../harness/testing/failing.ts';
import { f32, ggufBytes, type TestTensor, type TestValue, text, texts, u32 } from '../../harness/testing/gguf.ts';
import gptNeoX from './gpt-neox.ts';
import gpt2 from './gpt2.ts';
import { batchOf } from './load.ts';
import { testFolder } from './testing/golden.ts';

const test = suite('models/subjects/gguf-layer-norm');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-gguf-layer-norm-'));
test.before(async () => {
  await initBackend('wasm');
});
test.after(() => rmSync(folder, { recursive: true }));

const golden = (name: string) => testFolder(name);
const reference = JSON.parse(readFileSync(golden('gguf-layer-norm.golden.json'), 'utf8')) as {
  ids: number[];
  gpt2: number[][];
  gptneox: number[][];
};

for (const [name, plugin] of [
  ['gpt2', gpt2],
  ['gptneox', gptNeoX],
] as const) {
  test(`${name}: logits are transformers’`, async () => {
    const model = (await plugin.load(golden(`gguf-${name}.golden.gguf`), { id: name })) as LanguageModel;
    const { logits } = model.forward(batchOf([reference.ids], 0));
    const values = logits!.dataSync();
    const expected = reference[name].flat();
    assert.is(values.length, expected.length);
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i]!)), 0);
    assert.ok(worst < 1e-4, `largest difference ${worst}`);
    tf.dispose(logits!);
    model.dispose();
  });
}

test('gptneox: what of a head turns, and whether layers are parallel, are as the file says', async () => {
  const model = await gptNeoX.load(golden('gguf-gptneox.golden.gguf'), { id: 'x' });
  const { rotary_pct, use_parallel_residual, rotary_emb_base, attention_bias } = (model as LanguageModel).config;
  assert.equal(
    { rotary_pct, use_parallel_residual, rotary_emb_base, attention_bias },
    {
      ...{ rotary_pct: 0.5, use_parallel_residual: true, rotary_emb_base: 10000, attention_bias: true },
    },
  );
  model.dispose();
});

/** A GPT-NeoX of one block and two heads, of which a test says what is wrong. */
function neoxFile(change: Record<string, TestValue>, fusedRows = 12): string {
  const d = 4;
  const metadata: Record<string, TestValue> = {
    'general.architecture': text('gptneox'),
    'gptneox.context_length': u32(8),
    'gptneox.embedding_length': u32(d),
    'gptneox.block_count': u32(1),
    'gptneox.feed_forward_length': u32(6),
    'gptneox.attention.head_count': u32(2),
    'gptneox.attention.layer_norm_epsilon': f32(1e-5),
    'gptneox.rope.dimension_count': u32(2),
    'tokenizer.ggml.model': text('gpt2'),
    'tokenizer.ggml.pre': text('gpt-2'),
    'tokenizer.ggml.tokens': texts(['a', 'b', 'c']),
    'tokenizer.ggml.merges': texts([]),
    ...change,
  };
  const norms = ['blk.0.attn_norm', 'blk.0.ffn_norm', 'output_norm'];
  const layers: [string, number, number][] = [
    ['blk.0.attn_qkv', fusedRows, d],
    ['blk.0.attn_output', d, d],
    ['blk.0.ffn_up', 6, d],
    ['blk.0.ffn_down', d, 6],
  ];
  const shapes: [string, number[]][] = [
    ['token_embd.weight', [3, d]],
    ['output.weight', [3, d]],
    ...norms.flatMap((name): [string, number[]][] => ['weight', 'bias'].map((end) => [`${name}.${end}`, [d]])),
    ...layers.flatMap(([name, rows, columns]): [string, number[]][] => [
      [`${name}.weight`, [rows, columns]],
      [`${name}.bias`, [rows]],
    ]),
  ];
  const tensors = shapes.map(([name, shape]): TestTensor => {
    const size = shape.reduce((product, each) => product * each, 1);
    return { name, shape, data: new Uint8Array(new Float32Array(size).buffer) };
  });
  const path = join(mkdtempSync(join(folder, 'neox-')), 'model.gguf');
  writeFileSync(path, ggufBytes({ metadata: Object.entries(metadata), tensors }));
  return path;
}

test('files that do not fit are refused in one line', async () => {
  const load = (path: string) => refusal(() => gptNeoX.load(path, { id: 'x' }));
  (await gptNeoX.load(neoxFile({}), { id: 'x' })).dispose();
  assert.match(
    await load(neoxFile({ 'gptneox.use_parallel_residual': u32(1) })),
    /use_parallel_residual: expected true or false, found 1/,
  );
  assert.match(
    await load(neoxFile({ 'gptneox.rope.dimension_count': u32(8) })),
    /rotary_pct: expected a share of a head's width 2/,
  );
  assert.match(
    await load(neoxFile({ 'gptneox.attention.layer_norm_rms_epsilon': f32(1) })),
    /found gptneox\.attention\.layer_norm_rms_epsilon/,
  );
  assert.match(await load(neoxFile({}, 15)), /query_key_value.*expected|attn_qkv.*expected/);
  const bytes = readFileSync(golden('gguf-gpt2.golden.gguf'));
  const cut = join(folder, 'cut.gguf');
  writeFileSync(cut, bytes.subarray(0, bytes.length - 100));
  assert.match(await refusal(() => gpt2.load(cut, { id: 'x' })), /cut\.gguf/);
});

test.run();
