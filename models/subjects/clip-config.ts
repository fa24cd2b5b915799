/** @file The architecture of a CLIP from its `config.json`. */
import type { Activation } from '../../harness/kit/index.ts';
import { type ConfigReader, configReader } from './config.ts';
import { type StackSpec, stackShapes } from './transformer.ts';

export interface ClipConfig {
  projectionDim: number;
  vision: { stack: StackSpec; imageSize: number; patchSize: number };
  text: {
    stack: StackSpec;
    vocab: number;
    maxLength: number;
    /** 2 is what old configs say whatever the vocabulary: the pooled token is then the one with the largest id. */
    eosId: number;
  };
}

/** Names that `hidden_act` may have. */
const ACTIVATIONS: Record<string, Activation> = {
  quick_gelu: 'quick_gelu',
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
};

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
export function parseClipConfig(json: Record<string, unknown>, where = 'clip config.json'): ClipConfig {
  const reader = configReader(json, where);
  const sectionOf = (name: string) => reader.section(reader.has(`${name}_dict`) ? `${name}_dict` : name);
  const vision = sectionOf('vision_config');
  const text = sectionOf('text_config');
  const imageSize = vision.size('image_size', 224);
  const patchSize = vision.size('patch_size', 32);
  if (imageSize % patchSize !== 0) throw vision.wrong('image_size', `a multiple of patch_size (${patchSize})`);
  if (vision.size('num_channels', 3) !== 3) throw vision.wrong('num_channels', '3');
  return {
    projectionDim: reader.size('projection_dim', 512),
    vision: { stack: readStack(vision, 'vision'), imageSize, patchSize },
    text: {
      stack: readStack(text, 'text'),
      vocab: text.size('vocab_size', 49408),
      maxLength: text.size('max_position_embeddings', 77),
      eosId: text.tokenId('eos_token_id') ?? 49407,
    },
  };
}

function readStack(reader: ConfigReader, tower: 'vision' | 'text'): StackSpec {
  const defaults = DEFAULTS[tower];
  const d = reader.size('hidden_size', defaults.d);
  const heads = reader.size('num_attention_heads', defaults.heads);
  if (d % heads !== 0) throw reader.wrong('num_attention_heads', `a divisor of hidden_size (${d})`);
  return {
    layers: reader.size('num_hidden_layers', defaults.layers),
    d,
    heads,
    kvHeads: heads,
    headDim: d / heads,
    mlp: reader.size('intermediate_size', defaults.mlp),
    norm: 'layer',
    epsilon: reader.positive('layer_norm_eps', 1e-5),
    activation: ACTIVATIONS[reader.oneOf('hidden_act', Object.keys(ACTIVATIONS), 'quick_gelu')]!,
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

/** Tokens of an image: the class token and the patches. */
export const visionLength = ({ vision }: ClipConfig): number => (vision.imageSize / vision.patchSize) ** 2 + 1;

/** Names and shapes of all tensors of a CLIP; `pre_layrnorm` is spelt so in every published checkpoint. */
export function clipShapes(config: ClipConfig): Record<string, number[]> {
  const { vision, text, projectionDim } = config;
  const norm = (name: string, d: number) => ({ [`${name}.weight`]: [d], [`${name}.bias`]: [d] });
  return {
    logit_scale: [],
    'vision_model.embeddings.class_embedding': [vision.stack.d],
    'vision_model.embeddings.patch_embedding.weight': [vision.stack.d, 3, vision.patchSize, vision.patchSize],
    'vision_model.embeddings.position_embedding.weight': [visionLength(config), vision.stack.d],
    ...norm('vision_model.pre_layrnorm', vision.stack.d),
    ...stackShapes(vision.stack),
    ...norm('vision_model.post_layernorm', vision.stack.d),
    'visual_projection.weight': [projectionDim, vision.stack.d],
    'text_model.embeddings.token_embedding.weight': [text.vocab, text.stack.d],
    'text_model.embeddings.position_embedding.weight': [text.maxLength, text.stack.d],
    ...stackShapes(text.stack),
    ...norm('text_model.final_layer_norm', text.stack.d),
    'text_projection.weight': [projectionDim, text.stack.d],
  };
}
