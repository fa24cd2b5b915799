/** @file Checkpoints of other programs: their configurations, what a person says of them, and their weights. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../paths.ts';
import { mutateJson, mutateZip, type Seed } from './mutate.ts';
import type { FuzzReader } from './reader.ts';

const FORM = 'form.json';
const CHECKPOINTS = join(packageRoot, 'harness/checkpoints/testdata');

/** A checkpoint of another program, small, with one of its files changed; `form.json` is what a person says of it. */
function checkpoint(folder: string, target: string, beside: readonly string[], form: object = {}): Seed {
  const names = [...beside, target].filter((name) => name !== FORM);
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(CHECKPOINTS, folder, name))]));
  return { files: { ...files, [FORM]: Buffer.from(JSON.stringify(form)) }, target };
}

/** Opens a checkpoint of any layout, reads its weights and encodes a row. */
async function encodeCheckpoint(folder: string): Promise<void> {
  const { openCheckpoint } = await import('../../checkpoints/open.ts');
  const { checkpointMethod } = await import('../../checkpoints/method.ts');
  const { foldInputScale } = await import('../../checkpoints/form.ts');
  const { initBackend } = await import('../../num/backend.ts');
  const { readJson } = await import('../../io/json.ts');
  const { Fields } = await import('../../checkpoints/fields.ts');
  const { json } = new Fields('form', await readJson(join(folder, FORM), 'form'));
  const found = await openCheckpoint(folder, json);
  if (found.own) return;
  const read = await found.read();
  await initBackend('cpu');
  // Not before: it is there once a backend is.
  const { tf } = await import('../../num/tf.ts');
  const method = checkpointMethod(read.config.inputScale === undefined ? read : foldInputScale(read, 1));
  tf.tidy(() => void method.encode!(tf.ones([2, method.d_in])));
  method.dispose();
}

export const CHECKPOINT_READERS: Record<string, FuzzReader> = {
  'checkpoint configs': {
    seeds: async () => [
      checkpoint('dictionary_learning/batch_top_k', 'config.json', ['ae.pt']),
      checkpoint('switch_sae/switch', 'config.json', ['ae.pt']),
      checkpoint('sparsify/groupmax/h.2.attn', 'cfg.json', ['sae.safetensors']),
      checkpoint('llama-scope/later/L15R', 'config.json', ['sae_weights.safetensors']),
      checkpoint('vit-prisma/top_k', 'config.json', ['weights.pt']),
      checkpoint('gemma-scope/second/gemma-scope-2-1b-pt/resid_post/layer_12_width_16k_l0_small', 'config.json', [
        'params.safetensors',
      ]),
    ],
    mutate: mutateJson,
    read: (_, folder) => encodeCheckpoint(folder),
  },
  'checkpoint form': {
    seeds: async () => {
      const { given } = JSON.parse(readFileSync(join(CHECKPOINTS, 'plain/top_k.expected.json'), 'utf8')) as {
        given: object;
      };
      return [
        checkpoint('plain/top_k', FORM, ['sae.npz'], given),
        checkpoint('overcomplete/top_k', FORM, ['sae.pt'], { architecture: 'topk', k: 4 }),
      ];
    },
    mutate: mutateJson,
    read: (_, folder) => encodeCheckpoint(folder),
  },
  'checkpoint weights': {
    seeds: async () => [
      checkpoint('openai/top_k/resid_post_mlp_v5_32k/autoencoders', '8.pt', []),
      checkpoint('dictionary_learning/matryoshka', 'ae.pt', ['config.json']),
      checkpoint('gemma-scope/first/gemma-scope-2b-pt-res/layer_12/width_16k/average_l0_82', 'params.npz', []),
    ],
    mutate: mutateZip,
    read: (_, folder) => encodeCheckpoint(folder),
  },
};
