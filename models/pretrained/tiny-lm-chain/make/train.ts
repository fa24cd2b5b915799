/**
 * @file Trains tiny-lm-chain on chains of the text world and writes its folder:
 * `node --import tsx models/pretrained/tiny-lm-chain/make/train.ts`. Every batch is fresh, so there is no epoch and nothing to
 * overfit. Fixed seeds: the same weights on the same backend. A trial, which takes no model's place: `--steps 100 --out folder/`.
 *
 * What a document is about is told by control tokens, in fewer and fewer documents, and by the text itself. Nothing is ever
 * added to an activation, and no loss is of one. Attention sees a window of tokens only: what lies before it is known
 * from the states of the tokens inside, or not at all.
 */

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type NamedTensors, type Scalar, type TokenBatch, UserError } from '../../../../harness/contract.ts';
import { addedToken, createRng, loadTokenizer, readJson } from '../../../../harness/kit/index.ts';
import { initBackend } from '../../../../harness/num/backend.ts';
import { tf } from '../../../../harness/num/tf.ts';
import { createChains } from '../../../../tasks/worlds/text-world/chain.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { causalLmTokenLosses } from '../../../subjects/causal-lm.ts';
import { configReader } from '../../../subjects/config.ts';
import { initCausalLm } from '../../../subjects/init.ts';
import { readMistral } from '../../../subjects/mistral.ts';
import { saveSubject } from '../../../subjects/save.ts';
import { runTrainingLoop } from '../../training-loop.ts';
import { chainBatches, tagOf } from './documents.ts';
import { measure } from './measure.ts';

const DOCUMENTS_PER_BATCH = 24;
const RATE = 2.5e-3;
/** Share of the documents without tags: from the first to the second bound over the first 80 % of the steps. */
const UNTAGGED: readonly [number, number] = [0.1, 0.7];
/** At first every clause of the other documents tells its theme, after this part of the steps only the first of a theme. */
const REPEATED_UNTIL = 0.4;
/** The longest documents have about as many tokens. */
const MAX_LENGTH = 192;
/** Weights are written that often: an interrupted training leaves a model. */
const SAVE_EVERY = 200;

const { steps: STEPS, out: folder } = optionsOrExit();
const words = fileURLToPath(new URL('../../tiny-lm-planted/', import.meta.url));
const backend = await initBackend();
console.log(`tiny-lm-chain: ${backend.name} (${backend.detail}), ${STEPS} steps`);
const world = createTextWorld();
const chains = createChains(world.concepts, world.topics);
const rng = createRng('tiny-lm-chain');

const { vocabSize } = await loadTokenizer(words);
const config = {
  architectures: ['MistralForCausalLM'],
  model_type: 'mistral',
  hidden_size: 128,
  intermediate_size: 432,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: vocabSize + world.concepts.length,
  max_position_embeddings: MAX_LENGTH,
  sliding_window: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  attention_bias: false,
  mlp_bias: false,
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 0,
  torch_dtype: 'float32',
};
const spec = readMistral(configReader(config, 'tiny-lm-chain'));
const tagIds = new Set(world.concepts.map((_, place) => vocabSize + place));
const files = { config, ...(await tokenizerFiles()) };
const save = async (weights: NamedTensors): Promise<void> => await saveSubject(folder, weights, files, 'F32');

const params = initCausalLm(spec, rng.fork('init'));
await save(params);
const tokenizer = await loadTokenizer(folder);
const [first, last] = UNTAGGED;
const batches = chainBatches(chains, tokenizer, rng.fork('data'), {
  size: DOCUMENTS_PER_BATCH,
  maxLength: MAX_LENGTH,
  untagged: (batch) => first + (last - first) * Math.min(1, batch / (0.8 * STEPS)),
  repeated: (batch) => Math.max(0, 1 - batch / (REPEATED_UNTIL * STEPS)),
});
const started = performance.now();
let tokens = 0;
const variables = await runTrainingLoop(
  params,
  { steps: STEPS, lr: RATE, warmup: STEPS / 20, beta2: 0.98, weightDecay: 0.01, clipNorm: 1, logEvery: 100 },
  (trained) => {
    const batch = batches.next().value as TokenBatch;
    tokens += batch.mask.reduce((sum, real) => sum + real, 0);
    return tf.mean(causalLmTokenLosses(trained, spec, batch, { given: tagIds }).losses) as Scalar;
  },
  async (step, loss, weights) => {
    const seconds = (performance.now() - started) / 1000;
    console.log(`step ${step}  loss ${loss.toFixed(4)}  ${tokens} tokens  ${(tokens / seconds).toFixed(0)} tokens/s`);
    if (step % SAVE_EVERY === 0) await save(weights);
  },
);
const [wall, cpu] = [(performance.now() - started) / 60_000, process.cpuUsage().user / 60e6];
await save(variables);
tf.disposeVariables();
await measure(folder, {
  training:
    `${STEPS} steps of ${DOCUMENTS_PER_BATCH} fresh documents (${(tokens / 1e6).toFixed(1)} M tokens), ${wall.toFixed(0)} minutes ` +
    `on the ${backend.name} backend beside much other work, ${cpu.toFixed(0)} minutes of one core's time`,
});

/** The tokenizer of tiny-lm-planted with a token for every tag. */
async function tokenizerFiles() {
  const [json, settings] = await Promise.all(
    ['tokenizer.json', 'tokenizer_config.json'].map((name) => readJson(`${words}${name}`, 'tiny-lm-planted')),
  );
  const { added_tokens: specials, ...tokenizer } = json as { added_tokens: object[] };
  const tags = world.concepts.map(({ id }, place) => addedToken(tagOf(id), vocabSize + place));
  return {
    tokenizer: { ...tokenizer, added_tokens: [...specials, ...tags] },
    tokenizer_config: { ...(settings as object), model_max_length: MAX_LENGTH },
  };
}

function optionsOrExit(): { steps: number; out: string } {
  try {
    const { steps, out } = parseArgs({
      options: { steps: { type: 'string', default: '8000' }, out: { type: 'string' } },
    }).values;
    if (!/^[1-9]\d*$/.test(steps))
      throw new UserError(`train: --steps: expected a whole number from 1; found '${steps}'.`);
    if (out !== undefined) return { steps: Number(steps), out: `${out.replace(/\/$/, '')}/` };
    if (steps !== '8000')
      throw new UserError('train: --out: expected a folder for a trial, beside --steps; found none.');
    return { steps: 8000, out: fileURLToPath(new URL('..', import.meta.url)) };
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}
