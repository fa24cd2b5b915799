/**
 * @file Trains tiny-lm-chain on chains of the text world and writes its folder:
 * `node --import tsx models/pretrained/tiny-lm-chain/make/train.ts`. Every batch is fresh, so there is no epoch and nothing to
 * overfit. Fixed seeds: the same weights on the same backend. `--out folder/` writes elsewhere; `--part 2` goes on with the weights
 * that the first part has left there.
 *
 * What a document is about is told by control tokens, in fewer and fewer documents, and by the text itself. Nothing is ever
 * added to an activation, and no loss is of one. Attention sees a window of tokens only: what lies before it is known
 * from the states of the tokens inside, or not at all.
 */

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type NamedTensors, UserError } from '../../../../harness/contract.ts';
import { addedToken, createRng, loadTokenizer, readJson } from '../../../../harness/kit/index.ts';
import { initBackend } from '../../../../harness/num/backend.ts';
import { tf } from '../../../../harness/num/tf.ts';
import { createChains } from '../../../../tasks/worlds/text-world/chain.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { causalLmShapes } from '../../../subjects/causal-lm.ts';
import { configReader } from '../../../subjects/config.ts';
import { initCausalLm } from '../../../subjects/init.ts';
import { readMistral } from '../../../subjects/mistral.ts';
import { saveSubject } from '../../../subjects/save.ts';
import { loadParams } from '../../../subjects/weights.ts';
import { runTrainingLoop } from '../../training-loop.ts';
import { type ChainBatch, chainBatches, tagOf } from './documents.ts';
import { chainLoss } from './loss.ts';
import { measure } from './measure.ts';

const DOCUMENTS_PER_BATCH = 24;

/**
 * The parts of the training, each with a learning rate of its own that rises and falls over `cycle` steps, of which `steps` are
 * made.
 */
const PARTS = [
  // Tags are told before every clause at first, and before the first clause of a theme at last.
  { steps: 3200, cycle: 8000, rate: 2.5e-3, untagged: [0.1, 0.7], repeatedUntil: 3200, asking: 0 },
  // Themes must be read from the text, and carried beyond the window: which tag belongs to the text is asked at every token.
  { steps: 3600, cycle: 3600, rate: 2e-3, untagged: [0.4, 0.8], repeatedUntil: 0, asking: 0.25 },
] as const;
/** Part of a cycle after which the share of the documents without tags has come to its second bound. */
const UNTAGGED_UNTIL = 0.8;
/** The longest documents have about as many tokens. */
const MAX_LENGTH = 192;
/** Weights are written that often: an interrupted training leaves a model. */
const SAVE_EVERY = 200;

const { part: PART, out: folder } = optionsOrExit();
const words = fileURLToPath(new URL('../../tiny-lm-planted/', import.meta.url));
const backend = await initBackend();
console.log(`tiny-lm-chain: ${backend.name} (${backend.detail}), part ${PART}`);
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
const tags = { first: vocabSize, count: world.concepts.length };
const files = { config, ...(await tokenizerFiles()) };
const save = async (weights: NamedTensors): Promise<void> => await saveSubject(folder, weights, files, 'F32');

let weights = PART === 1 ? initCausalLm(spec, rng.fork('init')) : await loadParams(folder, causalLmShapes(spec));
await save(weights);
const tokenizer = await loadTokenizer(folder);
const started = performance.now();
let tokens = 0;
for (const [number, part] of PARTS.entries()) {
  if (number + 1 < PART) continue;
  const { steps, cycle, rate, untagged, repeatedUntil, asking } = part;
  const [first, last] = untagged;
  const batches = chainBatches(chains, tokenizer, rng.fork(number === 0 ? 'data' : `data ${number}`), {
    size: DOCUMENTS_PER_BATCH,
    maxLength: MAX_LENGTH,
    untagged: (batch) => first + (last - first) * Math.min(1, batch / (UNTAGGED_UNTIL * cycle)),
    repeated: (batch) => (batch < repeatedUntil ? 1 - batch / repeatedUntil : 0),
  });
  const trained = await runTrainingLoop(
    weights,
    {
      steps: cycle,
      until: steps,
      lr: rate,
      warmup: cycle / 20,
      beta2: 0.98,
      weightDecay: 0.01,
      clipNorm: 1,
      logEvery: 100,
    },
    (params) => {
      const batch = batches.next().value as ChainBatch;
      tokens += batch.mask.reduce((sum, real) => sum + real, 0);
      return chainLoss(params, spec, batch, tags, asking);
    },
    async (step, loss, params) => {
      const seconds = (performance.now() - started) / 1000;
      console.log(
        `part ${number + 1}  step ${step}  loss ${loss.toFixed(4)}  ${tokens} tokens  ${(tokens / seconds).toFixed(0)} tokens/s`,
      );
      if (step % SAVE_EVERY === 0) await save(params);
    },
  );
  weights = Object.fromEntries(Object.entries(trained).map(([name, variable]) => [name, variable.clone()]));
  tf.disposeVariables();
}
const [wall, cpu] = [(performance.now() - started) / 60_000, process.cpuUsage().user / 60e6];
await save(weights);
tf.dispose(weights);
await measure(folder, {
  training:
    `${PARTS.map(({ steps }) => steps).join(' and ')} steps of ${DOCUMENTS_PER_BATCH} fresh documents (${(tokens / 1e6).toFixed(1)} M tokens), ${wall.toFixed(0)} minutes ` +
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

/** Where to write; and with which part to begin, after the first from the weights that lie there. */
function optionsOrExit(): { part: number; out: string } {
  try {
    const { part, out } = parseArgs({
      options: { part: { type: 'string', default: '1' }, out: { type: 'string' } },
    }).values;
    if (!PARTS.some((_, number) => `${number + 1}` === part)) {
      throw new UserError(`train: --part: expected a number from 1 to ${PARTS.length}; found '${part}'.`);
    }
    return {
      part: Number(part),
      out: out ? `${out.replace(/\/$/, '')}/` : fileURLToPath(new URL('..', import.meta.url)),
    };
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}
