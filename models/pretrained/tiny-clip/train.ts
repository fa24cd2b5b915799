/**
 * @file Trains tiny-clip on the image world: `node --import tsx models/pretrained/tiny-clip/train.ts`. Every batch is
 * fresh. CLIP's loss alone learns shapes late, so that for training only linear heads read the attributes off the image
 * embedding and the patches too. Fixed seeds: the same weights on the same backend.
 */
import { fileURLToPath } from 'node:url';
import { type NamedTensors, readJson, tf } from '../../../harness/contract.ts';
import { initBackend } from '../../../harness/num/backend.ts';
import { createRng } from '../../../harness/num/rng.ts';
import { clipShapes, parseClipConfig } from '../../subjects/clip-config.ts';
import { clipImageForward, clipTextForward, contrastiveLoss } from '../../subjects/clip-forward.ts';
import { initClip } from '../../subjects/init.ts';
import { openTokenizer } from '../../subjects/load.ts';
import { saveSubject } from '../../subjects/save.ts';
import { loadParams } from '../../subjects/weights.ts';
import { runTrainingLoop } from '../training-loop.ts';
import { attributeLoss, initAttributeHeads, withoutAttributeHeads } from './attribute-heads.ts';
import { measure } from './measure.ts';
import { captionBatch, drawLesson, pixelsOf } from './pairs.ts';
import { sineCosinePositions } from './patch-positions.ts';

/** Each cycle warms up and cools down anew, with fresh heads and moments, and saves its weights. */
const CYCLES = [{ steps: 6000, lr: 2e-3, lesson: 0.5 }];
/** The first cycle to run: a later one starts from the saved weights, which gives what running them all gives. */
const FROM = Number(process.argv[2] ?? 0);
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
console.log(`tiny-clip: ${backend.name} (${backend.detail})`);
const { tokenizer } = await openTokenizer(folder);
const rng = createRng('tiny-clip');
const spec = parseClipConfig(config);
const width = spec.vision.stack.d;
const LAST_BLOCK = `vision.blocks.${spec.vision.stack.layers - 1}.hook_resid_post`;
const readFolder = async (name: string) =>
  (await readJson(`${folder}${name}.json`, 'tiny-clip')) as Record<string, unknown>;

async function runCycle(cycle: number, start: NamedTensors): Promise<NamedTensors> {
  const { steps, lr, lesson } = CYCLES[cycle]!;
  const data = cycle === 0 ? rng.fork('data') : rng.fork('data').fork(cycle);
  const started = performance.now();
  const variables = runTrainingLoop(
    { ...start, ...initAttributeHeads(spec.projectionDim, width) },
    { steps, lr, warmup: 200, beta2: 0.98, weightDecay: 0.05, clipNorm: 1, logEvery: 100 },
    (params, step) => {
      const images = drawLesson(BATCH, Math.max(0, lesson * (1 - step / (0.6 * steps))), data.fork(step));
      const captions = images.map(({ caption }) => caption);
      const { embeds, captured } = clipImageForward(params, spec, pixelsOf(images), { capture: [LAST_BLOCK] });
      const imageEmbeds = embeds!;
      const textEmbeds = clipTextForward(params, spec, captionBatch(tokenizer, captions)).embeds!;
      const matching = contrastiveLoss(imageEmbeds, textEmbeds, params['logit_scale']!);
      const attributes = images.map((image) => image.attributes);
      return tf.add(matching, attributeLoss(params, imageEmbeds, captured[LAST_BLOCK]!, attributes));
    },
    (step, loss) => {
      const rate = (1000 * step * BATCH) / (performance.now() - started);
      console.log(`cycle ${cycle}  step ${step}  loss ${loss.toFixed(4)}  ${rate.toFixed(0)} pairs/s`);
    },
  );
  const trained = withoutAttributeHeads(variables);
  await saveSubject(folder, trained, {
    config,
    tokenizer: await readFolder('tokenizer'),
    tokenizer_config: await readFolder('tokenizer_config'),
    preprocessor_config: await readFolder('preprocessor_config'),
  });
  const values = Object.fromEntries(Object.entries(trained).map(([name, variable]) => [name, tf.clone(variable)]));
  tf.dispose(variables);
  return values;
}

function freshParams(): NamedTensors {
  const params = initClip(spec, rng.fork('init'));
  const positions = 'vision_model.embeddings.position_embedding.weight';
  params[positions]!.dispose();
  return { ...params, [positions]: sineCosinePositions(spec.vision.imageSize / spec.vision.patchSize, width) };
}

let params = FROM === 0 ? freshParams() : await loadParams(folder, clipShapes(spec));
for (let cycle = FROM; cycle < CYCLES.length; cycle++) params = await runCycle(cycle, params);
tf.dispose(params);
const pairs = BATCH * CYCLES.reduce((sum, { steps }) => sum + steps, 0);
await measure(folder, {
  heldOut: HELD_OUT_IMAGES,
  training: `${pairs.toLocaleString('en')} fresh image-caption pairs in batches of ${BATCH}, CLIP's loss plus attribute heads that are dropped afterwards, on the ${backend.name} backend`,
});
