/**
 * @file Trains tiny-lm-planted on the text world and writes its folder: `node --import tsx models/pretrained/tiny-lm-planted/make/train.ts`.
 * Every batch is fresh, so there is no epoch and nothing to overfit. Fixed seeds: the same weights on the same backend.
 *
 * The three sizes of the suite scaling-subjects, with N = 32, 64 and 128, are trained alike and shorter:
 * `… train.ts --id tiny-lm-dN --hidden N --layers 4 --steps 900 --documents 16 --dtype F16`.
 */
import { fileURLToPath } from 'node:url';
import type { NamedTensors } from '../../../../harness/contract.ts';
import { loadTokenizer, readJson } from '../../../../harness/kit/index.ts';
import { initBackend } from '../../../../harness/num/backend.ts';
import { createRng } from '../../../../harness/num/rng.ts';
import { tf } from '../../../../harness/num/tf.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { configReader } from '../../../subjects/config.ts';
import { initCausalLm } from '../../../subjects/init.ts';
import { readLlama } from '../../../subjects/llama.ts';
import { saveSubject } from '../../../subjects/save.ts';
import { runTrainingLoop } from '../../training-loop.ts';
import { type DocumentBatch, freshBatches } from './documents.ts';
import { measure } from './measure.ts';
import { initThemeVectors, lossWithThemes, withoutThemeVectors } from './theme-vectors.ts';
import { type TrainOptions, trainOptions } from './train-options.ts';

const { id: ID, hidden: HIDDEN, layers, steps: STEPS, documents: DOCUMENTS_PER_BATCH, dtype: DTYPE } = optionsOrExit();
/** Learning rate; the best one falls with the width. */
const RATE = (2.5e-3 * 128) / HIDDEN;
/** Share of longer documents at the start; none after the first 60 % of the steps. */
const LESSON = 0.7;
const HELD_OUT_DOCUMENTS = 2000;
/** Weights are written that often: an interrupted training leaves a model. */
const SAVE_EVERY = 500;

const config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: HIDDEN,
  intermediate_size: 3 * HIDDEN,
  num_hidden_layers: layers,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 1536,
  max_position_embeddings: 160,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  attention_bias: false,
  mlp_bias: false,
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 0,
  torch_dtype: DTYPE === 'F16' ? 'float16' : 'float32',
};

const tinyLm = fileURLToPath(new URL('..', import.meta.url));
const folder = fileURLToPath(new URL(`../../${ID}/`, import.meta.url));
const backend = await initBackend();
console.log(`${ID}: ${backend.name} (${backend.detail}), ${STEPS} steps`);
const world = createTextWorld();
const tokenizer = await loadTokenizer(tinyLm);
// The name that the model had when it was trained: the same weights.
const rng = createRng('tiny-lm');
const spec = readLlama(configReader(config, ID));

const batches = freshBatches(world, tokenizer, rng.fork('data'), {
  size: DOCUMENTS_PER_BATCH,
  maxLength: spec.maxLength,
  lesson: (batch) => Math.max(0, LESSON * (1 - batch / (0.6 * STEPS))),
});
const save = async (weights: NamedTensors): Promise<void> =>
  await saveSubject(
    folder,
    withoutThemeVectors(weights),
    {
      config,
      tokenizer: (await readJson(`${tinyLm}tokenizer.json`, 'tiny-lm-planted')) as Record<string, unknown>,
      tokenizer_config: (await readJson(`${tinyLm}tokenizer_config.json`, 'tiny-lm-planted')) as Record<
        string,
        unknown
      >,
    },
    DTYPE,
  );
const started = performance.now();
const told = rng.fork('told');
let tokens = 0;
const variables = await runTrainingLoop(
  {
    ...initCausalLm(spec, rng.fork('init')),
    ...initThemeVectors(world.concepts.length, spec.stack.d, rng.fork('themes')),
  },
  { steps: STEPS, lr: RATE, warmup: STEPS / 10, beta2: 0.98, weightDecay: 0.01, clipNorm: 1, logEvery: 100 },
  (params, step) => {
    const batch = batches.next().value as DocumentBatch;
    tokens += batch.mask.reduce((sum, real) => sum + real, 0);
    return lossWithThemes(params, spec, batch, told.fork(step));
  },
  async (step, loss, weights) => {
    const seconds = (performance.now() - started) / 1000;
    console.log(`step ${step}  loss ${loss.toFixed(4)}  ${tokens} tokens  ${(tokens / seconds).toFixed(0)} tokens/s`);
    if (step % SAVE_EVERY === 0) await save(weights);
  },
);
const trainingSeconds = (performance.now() - started) / 1000;

await save(variables);
await measure(folder, {
  id: ID,
  heldOut: HELD_OUT_DOCUMENTS,
  training: `${STEPS} steps of ${DOCUMENTS_PER_BATCH} fresh documents (${(tokens / 1e6).toFixed(1)} M tokens), ${trainingSeconds.toFixed(0)} s on the ${backend.name} backend`,
});
tf.disposeVariables();

function optionsOrExit(): TrainOptions {
  try {
    return trainOptions(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}
