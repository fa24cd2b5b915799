/**
 * @file Trains tiny-clip on the image world: `node --import tsx models/pretrained/tiny-clip/train.ts`. Every batch is
 * fresh. Fixed seeds: the same weights on the same backend.
 */
import { fileURLToPath } from 'node:url';
import {
  type NamedTensors,
  readJson,
  type Scalar,
  type Tensor2D,
  type TokenBatch,
  tf,
} from '../../../harness/contract.ts';
import { initBackend } from '../../../harness/num/backend.ts';
import { createRng } from '../../../harness/num/rng.ts';
import { parseClipConfig } from '../../subjects/clip-config.ts';
import { clipImageForward, clipTextForward } from '../../subjects/clip-forward.ts';
import { initClip } from '../../subjects/init.ts';
import { openTokenizer } from '../../subjects/load.ts';
import { saveSubject } from '../../subjects/save.ts';
import { runTrainingLoop } from '../training-loop.ts';
import { measure } from './measure.ts';
import { captionBatch, drawImages, pixelsOf } from './pairs.ts';

const STEPS = Number(process.argv[2] ?? 3000);
const BATCH = 128;
const HELD_OUT_IMAGES = 2000;

const tower = {
  hidden_size: 96,
  intermediate_size: 256,
  num_attention_heads: 4,
  hidden_act: 'quick_gelu',
  layer_norm_eps: 1e-5,
};
const config = {
  architectures: ['CLIPModel'],
  model_type: 'clip',
  projection_dim: 64,
  logit_scale_init_value: 2.6592,
  vision_config: {
    ...tower,
    model_type: 'clip_vision_model',
    num_hidden_layers: 4,
    image_size: 64,
    patch_size: 16,
    num_channels: 3,
  },
  text_config: {
    ...tower,
    model_type: 'clip_text_model',
    num_hidden_layers: 2,
    vocab_size: 696,
    max_position_embeddings: 32,
    bos_token_id: 694,
    eos_token_id: 695,
    pad_token_id: 695,
  },
  torch_dtype: 'float32',
};

const folder = fileURLToPath(new URL('.', import.meta.url));
const backend = await initBackend();
console.log(`tiny-clip: ${backend.name} (${backend.detail}), ${STEPS} steps`);
const { tokenizer } = await openTokenizer(folder);
const rng = createRng('tiny-clip');
const spec = parseClipConfig(config);

const unit = (x: Tensor2D): Tensor2D => tf.div(x, tf.norm(x, 2, 1, true)) as Tensor2D;

/** CLIP's symmetric cross-entropy over the batch (Radford et al. 2021, figure 3). */
function contrastiveLoss(
  params: NamedTensors,
  pixels: Parameters<typeof clipImageForward>[2],
  texts: TokenBatch,
): Scalar {
  const images = unit(clipImageForward(params, spec, pixels).embeds!);
  const captions = unit(clipTextForward(params, spec, texts).embeds!);
  const logits = tf.mul(tf.exp(params['logit_scale']!), tf.matMul(images, captions, false, true)) as Tensor2D;
  const matched = tf.mul(tf.exp(params['logit_scale']!), tf.sum(tf.mul(images, captions), 1));
  const towards = (axis: number) => tf.mean(tf.sub(tf.logSumExp(logits, axis), matched));
  return tf.mul(0.5, tf.add(towards(0), towards(1))) as Scalar;
}

const data = rng.fork('data');
const started = performance.now();
const variables = runTrainingLoop(
  initClip(spec, rng.fork('init')),
  { steps: STEPS, lr: 1e-3, warmup: 300, beta2: 0.98, weightDecay: 0.05, clipNorm: 1, logEvery: 100 },
  (params, step) => {
    const images = drawImages(BATCH, data.fork(step));
    return contrastiveLoss(
      params,
      pixelsOf(images),
      captionBatch(
        tokenizer,
        images.map(({ caption }) => caption),
      ),
    );
  },
  (step, loss) => {
    const seconds = (performance.now() - started) / 1000;
    console.log(`step ${step}  loss ${loss.toFixed(4)}  ${((step * BATCH) / seconds).toFixed(0)} pairs/s`);
  },
);
const seconds = (performance.now() - started) / 1000;

await saveSubject(folder, variables, {
  config,
  tokenizer: (await readJson(`${folder}tokenizer.json`, 'tiny-clip')) as Record<string, unknown>,
  tokenizer_config: (await readJson(`${folder}tokenizer_config.json`, 'tiny-clip')) as Record<string, unknown>,
  preprocessor_config: (await readJson(`${folder}preprocessor_config.json`, 'tiny-clip')) as Record<string, unknown>,
});
await measure(folder, {
  heldOut: HELD_OUT_IMAGES,
  training: `${STEPS} steps of ${BATCH} fresh image-caption pairs, ${seconds.toFixed(0)} s on the ${backend.name} backend`,
});
tf.disposeVariables();
