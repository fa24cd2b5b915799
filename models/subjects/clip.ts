/** @file CLIP (Radford et al. 2021) in Hugging Face layout: a vision and a text transformer with a shared space. */
import type { ConfigReader } from './config.ts';
import { defineDualEncoder } from './define-dual-encoder.ts';
import type { DualEncoder } from './dual-encoder.ts';
import { gridOf } from './image-grid.ts';
import type { StackSpec } from './transformer.ts';

/** Sizes of CLIP ViT-B/32, which Hugging Face assumes where a config leaves them out. */
const DEFAULTS = {
  vision: { d: 768, mlp: 3072, layers: 12, heads: 12 },
  text: { d: 512, mlp: 2048, layers: 12, heads: 8 },
};

/**
 * Reads Hugging Face's `CLIPConfig`; a legacy `text_config_dict` or `vision_config_dict` takes the section's place.
 *
 * @throws UserError for an impossible field.
 */
export function readClip(config: ConfigReader): DualEncoder {
  const sectionOf = (name: string) => config.section(config.has(`${name}_dict`) ? `${name}_dict` : name);
  const vision = sectionOf('vision_config');
  const text = sectionOf('text_config');
  const { imageSize, patchSize } = gridOf(vision, { imageSize: 224, patchSize: 32 });
  return {
    projectionDim: config.size('projection_dim', 512),
    logitScale: 'logit_scale',
    vision: {
      stack: readStack(vision, 'vision'),
      ...{ imageSize, patchSize },
      patches: 'vision_model.embeddings.patch_embedding',
      classToken: 'vision_model.embeddings.class_embedding',
      positions: 'vision_model.embeddings.position_embedding',
      // Spelt so in every published checkpoint.
      inputNorm: 'vision_model.pre_layrnorm',
      finalNorm: 'vision_model.post_layernorm',
      projection: 'visual_projection',
      pooling: 'class',
    },
    text: {
      stack: readStack(text, 'text'),
      vocab: text.size('vocab_size', 49408),
      maxLength: text.size('max_position_embeddings', 77),
      embed: 'text_model.embeddings.token_embedding',
      positions: 'text_model.embeddings.position_embedding',
      finalNorm: 'text_model.final_layer_norm',
      projection: 'text_projection',
      eosId: text.tokenId('eos_token_id') ?? 49407,
    },
    files: { buffers: /\.embeddings\.position_ids$/ },
  };
}

function readStack(config: ConfigReader, tower: 'vision' | 'text'): StackSpec {
  const defaults = DEFAULTS[tower];
  const d = config.size('hidden_size', defaults.d);
  const heads = config.size('num_attention_heads', defaults.heads);
  if (d % heads !== 0) throw config.wrong('num_attention_heads', `a divisor of hidden_size (${d})`);
  return {
    layers: config.layers('num_hidden_layers', defaults.layers),
    ...{ d, heads, kvHeads: heads, headDim: d / heads },
    mlp: config.size('intermediate_size', defaults.mlp),
    norm: 'layer',
    epsilon: config.positive('layer_norm_eps', 1e-5),
    activation: config.activation('hidden_act', 'quick_gelu'),
    gated: false,
    causal: tower === 'text',
    bias: { attention: true, mlp: true, norm: true },
    blockPrefix: (layer) => `${tower}_model.encoder.layers.${layer}.`,
    names: {
      attentionNorm: 'layer_norm1',
      q: 'self_attn.q_proj',
      k: 'self_attn.k_proj',
      v: 'self_attn.v_proj',
      out: 'self_attn.out_proj',
      mlpNorm: 'layer_norm2',
      up: 'mlp.fc1',
      down: 'mlp.fc2',
    },
  };
}

export default defineDualEncoder({
  id: 'clip',
  title: 'CLIP image and text encoders (ViT vision tower, causal text tower)',
  paper: 'Radford et al. 2021, arXiv:2103.00020',
  version: 1,
  modelTypes: ['clip'],
  read: readClip,
});
