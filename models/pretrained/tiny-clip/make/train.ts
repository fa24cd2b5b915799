/**
 * @file Trains tiny-clip on the image world: `node --import tsx models/pretrained/tiny-clip/make/train.ts`. Every batch is
 * fresh. CLIP's loss alone learns shapes late, so that for training only linear heads read the attributes off the image
 * embedding and the patches too. Fixed seeds: the same weights on the same backend.
 */
import { fileURLToPath } from 'node:url';
import { type NamedTensors, tf } from '../../../../harness/contract.ts';
import { loadTokenizer, readJson } from '../../../../harness/kit/index.ts';
import { initBackend } from '../../../../harness/num/backend.ts';
import { createRng } from '../../../../harness/num/rng.ts';
import { readClip } from '../../../subjects/clip.ts';
import { configReader } from '../../../subjects/config.ts';
import { contrastiveLoss } from '../../../subjects/contrastive.ts';
import { imageForward, textForward } from '../../../subjects/dual-encoder.ts';
import { initDualEncoder } from '../../../subjects/init.ts';
import { saveSubject } from '../../../subjects/save.ts';
import { runTrainingLoop } from '../../training-loop.ts';
import { attributeLoss, initAttributeHeads, withoutAttributeHeads } from './attribute-heads.ts';
import { measure } from './measure.ts';
import { captionBatch, drawLesson, pixelsOf } from './pairs.ts';
import { sineCosinePositions } from './patch-positions.ts';

const STEPS = 8000;
/** Share of easy images at the start (see `drawLesson`); none after the first 60 % of the steps. */
const LESSON = 0.5;
const BATCH = 64;
const HELD_OUT_IMAGES = 2000;

const tower = {
  hidden_size: 96,
  intermediate_size: 384,
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
    num_hidden_layers: 5,
    image_size: 64,
    patch_size: 8,
    num_channels: 3,
  },
  text_config: {
    ...tower,
    model_type: 'clip_text_model',
    num_hidden_layers: 3,
    vocab_size: 696,
    max_position_embeddings: 32,
    bos_token_id: 694,
    eos_token_id: 695,
    pad_token_id: 695,
  },
  torch_dtype: 'float32',
};

const folder = fileURLToPath(new URL('..', import.meta.url));
const backend = await initBackend();
console.log(`tiny-clip: ${backend.name} (${backend.detail})`);
const tokenizer = await loadTokenizer(folder);
const rng = createRng('tiny-clip');
const spec = readClip(configReader(config, 'tiny-clip'));
const width = spec.vision.stack.d;
const LAST_BLOCK = `vision.blocks.${spec.vision.stack.layers - 1}.hook_resid_post`;
const readFolder = async (name: string) =>
  (await readJson(`${folder}${name}.json`, 'tiny-clip')) as Record<string, unknown>;

function freshParams(): NamedTensors {
  const params = initDualEncoder(spec, rng.fork('init'));
  const positions = 'vision_model.embeddings.position_embedding.weight';
  params[positions]!.dispose();
  return { ...params, [positions]: sineCosinePositions(spec.vision.imageSize / spec.vision.patchSize, width) };
}

const data = rng.fork('data');
const started = performance.now();
const variables = await runTrainingLoop(
  { ...freshParams(), ...initAttributeHeads(spec.projectionDim, width) },
  { steps: STEPS, lr: 1.5e-3, warmup: 400, beta2: 0.98, weightDecay: 0.05, clipNorm: 1, logEvery: 100 },
  (params, step) => {
    const images = drawLesson(BATCH, Math.max(0, LESSON * (1 - step / (0.6 * STEPS))), data.fork(step));
    const captions = images.map(({ caption }) => caption);
    const { embeds, captured } = imageForward(params, spec, pixelsOf(images), { capture: [LAST_BLOCK] });
    const imageEmbeds = embeds!;
    const textEmbeds = textForward(params, spec, captionBatch(tokenizer, captions)).embeds!;
    const matching = contrastiveLoss(imageEmbeds, textEmbeds, params['logit_scale']!);
    const attributes = images.map((image) => image.attributes);
    return tf.add(matching, attributeLoss(params, imageEmbeds, captured[LAST_BLOCK]!, attributes));
  },
  (step, loss) => {
    const rate = (1000 * step * BATCH) / (performance.now() - started);
    console.log(`step ${step}  loss ${loss.toFixed(4)}  ${rate.toFixed(0)} pairs/s`);
  },
);
await saveSubject(folder, withoutAttributeHeads(variables), {
  config,
  tokenizer: await readFolder('tokenizer'),
  tokenizer_config: await readFolder('tokenizer_config'),
  preprocessor_config: await readFolder('preprocessor_config'),
});
tf.dispose(variables);
await measure(folder, {
  heldOut: HELD_OUT_IMAGES,
  training: `${(BATCH * STEPS).toLocaleString('en')} fresh image-caption pairs in batches of ${BATCH}, CLIP's loss plus attribute heads that are dropped afterwards, on the ${backend.name} backend`,
});
