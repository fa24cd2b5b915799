/** @file Adding a family is one file: a toy with names of its own and queries, keys and values fused by head. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import type { LanguageModel, NamedTensors } from '../../harness/contract.ts';
import { openSafetensors } from '../../harness/io/safetensors.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { loadPlugin } from '../../harness/plugins.ts';
import { openRegistry } from '../../harness/registry.ts';
import { familyOf } from '../../harness/suite/subjects.ts';
import { saveSubject } from './save.ts';
import { assertClose, readGolden, testFolder } from './testing/golden.ts';

const FAMILY = `import { defineCausalLm } from 'saxbench/subjects';
export default defineCausalLm({ id: 'toy', title: 'A toy', version: 1, modelTypes: ['toy'], read(config) {
  const [d, heads] = [config.size('width'), config.size('heads')];
  return {
    vocab: config.size('vocab'), maxLength: config.size('context'), embed: 'words', positions: { table: 'places' },
    finalNorm: 'norm', head: 'words', stack: {
      layers: config.size('layers'), d, heads, kvHeads: heads, headDim: d / heads, mlp: 4 * d, norm: 'layer', epsilon: 1e-5,
      activation: 'gelu_tanh', gated: false, causal: true, bias: { attention: true, mlp: true, norm: true },
      blockPrefix: (layer) => 'block.' + layer + '.',
      names: { attentionNorm: 'n1', q: 'q', k: 'k', v: 'v', out: 'out', mlpNorm: 'n2', up: 'up', down: 'down' },
      stored: { qkv: { split: ['q', 'k', 'v'], heads }, out: { transpose: true }, up: { transpose: true }, down: { transpose: true } },
    },
  };
} });`;

const NAMES: Record<string, string> = { wte: 'words', wpe: 'places', ln_f: 'norm', ln_1: 'n1', ln_2: 'n2', c_fc: 'up' };

test('a toy family loads from one file and computes what the same weights do as a GPT-2', async () => {
  await initBackend('wasm');
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-toy-'));
  const tensors: NamedTensors = {};
  const source = await openSafetensors(join(testFolder('gpt2'), 'model.safetensors'));
  for (const name of source.names) {
    const [, block = '', path = '', end = ''] = /^transformer\.(?:h\.(\d)\.)?(.*)(\.weight|\.bias)$/.exec(name)!;
    const { shape } = source.info(name);
    const last = path === 'attn.c_proj' ? 'out' : path === 'mlp.c_proj' ? 'down' : path.split('.').at(-1)!;
    let x = tf.tensor(await source.readFloat(name), shape);
    if (last === 'c_attn') x = tf.transpose(tf.reshape(tf.transpose(x), [3, 4, 6, -1]), [1, 0, 2, 3]);
    const [key, size] = last === 'c_attn' ? ['qkv', [72, 24].slice(0, shape.length)] : [NAMES[last] ?? last, shape];
    tensors[`${block && `block.${block}.`}${key}${end}`] = tf.reshape(x, size);
  }
  const config = { model_type: 'toy', vocab: 280, context: 24, width: 24, heads: 4, layers: 2 };
  await saveSubject(folder, tensors, { config });
  for (const file of ['vocab.json', 'merges.txt']) await copyFile(join(testFolder('gpt2'), file), join(folder, file));
  await writeFile(join(folder, 'toy.ts'), FAMILY);
  const registry = openRegistry();
  await loadPlugin(join(folder, 'toy.ts'), registry);
  const model = (await (await familyOf(folder, registry)).load(folder, { id: 'toy' })) as LanguageModel;
  const golden = await readGolden('gpt2');
  const batch = await golden.batch();
  assertClose('logits', model.forward(batch).logits!, (await golden.values('logits')).data, { mask: batch.mask });
  model.dispose();
  await rm(folder, { recursive: true });
});
test.run();
