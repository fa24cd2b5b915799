/**
 * @file Trains tiny-clip on the image world: `node --import tsx models/pretrained/tiny-clip/train.ts`. Every batch is
 * fresh. CLIP's loss alone learns shapes late, so that for training only linear heads read all attributes off the image
 * embedding too. Fixed seeds: the same weights on the same backend.
 */
import { fileURLToPath } from 'node:url';
import { readJson, tf } from '../../../harness/contract.ts';
import { initBackend } from '../../../harness/num/backend.ts';
import { createRng } from '../../../harness/num/rng.ts';
import { parseClipConfig } from '../../subjects/clip-config.ts';
import { clipImageForward, clipTextForward, contrastiveLoss } from '../../subjects/clip-forward.ts';
import { initClip } from '../../subjects/init.ts';
import { openTokenizer } from '../../subjects/load.ts';
import { saveSubject } from '../../subjects/save.ts';
import { runTrainingLoop } from '../training-loop.ts';
import { attributeLoss, initAttributeHeads, withoutAttributeHeads } from './attribute-heads.ts';
import { measure } from './measure.ts';
import { captionBatch, drawLesson, pixelsOf } from './pairs.ts';

const STEPS = Number(process.argv[2] ?? 2400);
const BATCH = 64;
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
    num_hidden_layers: 3,
    image_size: 64,
    patch_size: 8,
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

const data = rng.fork('data');
const started = performance.now();
const variables = runTrainingLoop(
  { ...initClip(spec, rng.fork('init')), ...initAttributeHeads(spec.projectionDim) },
  { steps: STEPS, lr: 2e-3, warmup: 200, beta2: 0.98, weightDecay: 0.05, clipNorm: 1, logEvery: 100 },
  (params, step) => {
    const easy = Math.max(0, 0.8 * (1 - step / (0.6 * STEPS)));
    const images = drawLesson(BATCH, easy, data.fork(step));
    const captions = images.map(({ caption }) => caption);
    const imageEmbeds = clipImageForward(params, spec, pixelsOf(images)).embeds!;
    const textEmbeds = clipTextForward(params, spec, captionBatch(tokenizer, captions)).embeds!;
    return tf.add(
      contrastiveLoss(imageEmbeds, textEmbeds, params['logit_scale']!),
      attributeLoss(
        params,
        imageEmbeds,
        images.map(({ attributes }) => attributes),
      ),
    );
  },
  (step, loss) => {
    const seconds = (performance.now() - started) / 1000;
    console.log(`step ${step}  loss ${loss.toFixed(4)}  ${((step * BATCH) / seconds).toFixed(0)} pairs/s`);
  },
);
const seconds = (performance.now() - started) / 1000;

await saveSubject(folder, withoutAttributeHeads(variables), {
  config,
  tokenizer: (await readJson(`${folder}tokenizer.json`, 'tiny-clip')) as Record<string, unknown>,
  tokenizer_config: (await readJson(`${folder}tokenizer_config.json`, 'tiny-clip')) as Record<string, unknown>,
  preprocessor_config: (await readJson(`${folder}preprocessor_config.json`, 'tiny-clip')) as Record<string, unknown>,
});
await measure(folder, {
  heldOut: HELD_OUT_IMAGES,
  training: `${STEPS} steps of ${BATCH} fresh image-caption pairs, CLIP's loss plus attribute heads that are dropped afterwards, ${seconds.toFixed(0)} s on the ${backend.name} backend`,
});
tf.disposeVariables();
