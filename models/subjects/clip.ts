/** @file CLIP (Radford et al. 2021) in Hugging Face layout: a vision and a text transformer with a shared space. */
import type { ConfigReader } from './config.ts';
import { defineDualEncoder } from './define-dual-encoder.ts';
import type { DualEncoder } from './dual-encoder.ts';
import { gridOf } from './image-grid.ts';
import { type LayerNormDefaults, readLayerNormStack } from './layer-norm-stack.ts';
import type { StackSpec } from './stack-spec.ts';

const BOTH = { layers: 12, epsilon: 1e-5, activation: 'quick_gelu' };
/** Sizes of CLIP ViT-B/32, which Hugging Face assumes where a config leaves them out. */
const DEFAULTS = {
  vision: { ...BOTH, d: 768, mlp: 3072, heads: 12 },
  text: { ...BOTH, d: 512, mlp: 2048, heads: 8 },
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
      stack: readTowerStack(vision, 'vision', DEFAULTS.vision),
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
      stack: { ...readTowerStack(text, 'text', DEFAULTS.text), causal: true },
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

/** The stack of a tower of CLIP or SigLIP, which sees all columns. @throws UserError for an impossible field. */
export function readTowerStack(config: ConfigReader, tower: 'vision' | 'text', defaults: LayerNormDefaults): StackSpec {
  return readLayerNormStack(config, defaults, {
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
  });
}

export default defineDualEncoder({
  id: 'clip',
  title: 'CLIP image and text encoders (ViT vision tower, causal text tower)',
  paper: 'Radford et al. 2021, arXiv:2103.00020',
  version: 1,
  modelTypes: ['clip'],
  read: readClip,
});
