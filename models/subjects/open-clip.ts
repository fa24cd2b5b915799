/** @file CLIP models in OpenCLIP's own layout: `open_clip_config.json`, and the names of its state dictionary. */
import { type Activation, type ImagePreprocessing, parseImagePreprocessing } from '../../harness/kit/index.ts';
import { type ConfigReader, configReader } from './config.ts';
import { defineDualEncoder } from './define-dual-encoder.ts';
import type { DualEncoder } from './dual-encoder.ts';
import { gridOf } from './image-grid.ts';
import type { StackSpec } from './stack-spec.ts';

/** What OpenCLIP has beside these, of the vision tower and of the text tower, each of which changes the numbers. */
const LEFT_OUT = {
  vision: [
    'timm_model_name',
    'attentional_pool',
    'no_ln_pre',
    'ls_init_value',
    'qk_norm',
    'scaled_cosine_attn',
    'act_kwargs',
    'norm_kwargs',
  ],
  text: [
    'hf_model_name',
    'embed_cls',
    'no_causal_mask',
    'ls_init_value',
    'qk_norm',
    'scaled_cosine_attn',
    'act_kwargs',
    'norm_kwargs',
    'proj_bias',
    'correct_cls_mask',
    'hf_tokenizer_name',
    'tokenizer_mode',
    'tokenizer_kwargs',
  ],
};

/**
 * Reads the `model_cfg` of an `open_clip_config.json`.
 *
 * @throws UserError for an impossible field, and for what OpenCLIP has beside CLIP's own two towers: towers of timm and of
 *   Hugging Face, other poolings, other norms.
 */
export function readOpenClip(config: ConfigReader): DualEncoder {
  const model = config.section('model_cfg');
  const vision = model.section('vision_cfg');
  const text = model.section('text_cfg');
  const sections = [
    [vision, LEFT_OUT.vision],
    [text, LEFT_OUT.text],
    [model, ['multimodal_cfg', 'init_logit_bias', 'custom_text']],
  ] as const;
  for (const [section, names] of sections) {
    for (const name of names) if (section.has(name)) section.fixed(name, false);
  }
  vision.oneOf('pool_type', ['tok'], 'tok');
  vision.fixed('final_ln_after_pool', false);
  text.oneOf('pool_type', ['argmax'], 'argmax');
  const activation = model.flag('quick_gelu', false) ? 'quick_gelu' : 'gelu';
  const { imageSize, patchSize } = gridOf(vision, { imageSize: 224, patchSize: 16 });
  const width = vision.size('width', 768);
  const headWidth = vision.size('head_width', 64);
  if (width % headWidth !== 0) throw vision.wrong('head_width', `a divisor of width (${width})`);
  return {
    projectionDim: model.size('embed_dim'),
    logitScale: 'logit_scale',
    vision: {
      stack: stackOf(vision, 'visual.', { d: width, heads: width / headWidth, layers: 12 }, activation),
      ...{ imageSize, patchSize },
      patches: 'visual.conv1',
      classToken: 'visual.class_embedding',
      positions: 'visual.positional_embedding',
      inputNorm: 'visual.ln_pre',
      finalNorm: 'visual.ln_post',
      projection: 'visual.proj',
      pooling: 'class',
    },
    text: {
      stack: stackOf(text, '', { d: text.size('width', 512), heads: text.size('heads', 8), layers: 12 }, activation),
      vocab: text.size('vocab_size', 49408),
      maxLength: text.size('context_length', 77),
      embed: 'token_embedding',
      positions: 'positional_embedding',
      finalNorm: 'ln_final',
      projection: 'text_projection',
      // The largest id, which is that of the end of the text.
      eosId: 2,
    },
    files: {
      buffers: /^attn_mask$/,
      linears: {
        'visual.positional_embedding': { weight: '' },
        positional_embedding: { weight: '' },
        'visual.proj': { weight: '', transpose: true },
        text_projection: { weight: '', transpose: true },
      },
    },
  };
}

/** The steps of `preprocess_cfg`, as OpenCLIP's own transform takes them. @throws UserError for a field that is not computed here. */
function preprocessing(json: Record<string, unknown>, folder: string): ImagePreprocessing {
  const where = `subject ${folder}: open_clip_config.json`;
  const config = configReader(json, where);
  const steps = config.section('preprocess_cfg');
  steps.oneOf('resize_mode', ['shortest'], 'shortest');
  const resample = steps.oneOf('interpolation', ['bicubic', 'bilinear'], 'bicubic') === 'bicubic' ? 3 : 2;
  const size = config.section('model_cfg').section('vision_cfg').size('image_size', 224);
  const { mean, std } = (json['preprocess_cfg'] ?? {}) as Record<string, unknown>;
  const given = { size, crop_size: size, resample, image_mean: mean, image_std: std };
  const { crop, ...others } = parseImagePreprocessing(where, given);
  return { ...others, crop: { ...crop!, halves: 'even' } };
}

function stackOf(
  config: ConfigReader,
  prefix: string,
  { d, heads, layers }: { d: number; heads: number; layers: number },
  activation: Activation,
): StackSpec {
  if (d % heads !== 0) throw config.wrong('heads', `a divisor of width (${d})`);
  return {
    layers: config.layers('layers', layers),
    ...{ d, heads, kvHeads: heads, headDim: d / heads },
    mlp: Math.trunc(d * config.positive('mlp_ratio', 4)),
    norm: 'layer',
    epsilon: 1e-5,
    activation,
    gated: false,
    causal: prefix === '',
    bias: { attention: true, mlp: true, norm: true },
    blockPrefix: (layer) => `${prefix}transformer.resblocks.${layer}.`,
    names: {
      attentionNorm: 'ln_1',
      q: 'attn.q',
      k: 'attn.k',
      v: 'attn.v',
      out: 'attn.out_proj',
      mlpNorm: 'ln_2',
      up: 'mlp.c_fc',
      down: 'mlp.c_proj',
    },
    stored: { 'attn.in_proj': { split: ['attn.q', 'attn.k', 'attn.v'], weight: '_weight' } },
  };
}

export default defineDualEncoder({
  id: 'open-clip',
  title: 'CLIP image and text encoders in OpenCLIP’s layout',
  paper: 'Cherti et al. 2023, arXiv:2212.07143',
  version: 1,
  modelTypes: ['open_clip'],
  preprocessing,
  read: readOpenClip,
});
