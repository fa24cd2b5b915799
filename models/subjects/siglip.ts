/** @file SigLIP (Zhai et al. 2023) in Hugging Face layout: images pooled by attention, texts by their last column. */
import type { ConfigReader } from './config.ts';
import { defineDualEncoder } from './define-dual-encoder.ts';
import type { DualEncoder } from './dual-encoder.ts';
import { gridOf } from './image-grid.ts';
import type { StackSpec } from './transformer.ts';

/**
 * Reads Hugging Face's `SiglipConfig`. Texts are padded to the longest that the model takes, and padding is read: the model
 * was trained so.
 *
 * @throws UserError for an impossible field, and for a vision tower without its head.
 */
export function readSiglip(config: ConfigReader): DualEncoder {
  const vision = config.section('vision_config');
  const text = config.section('text_config');
  vision.fixed('vision_use_head', true);
  const { imageSize, patchSize } = gridOf(vision, { imageSize: 224, patchSize: 16 });
  const visionStack = readStack(vision, 'vision');
  const textStack = readStack(text, 'text');
  const projectionDim = text.size('projection_size', textStack.d);
  if (projectionDim !== visionStack.d) {
    throw text.wrong('projection_size', `the vision tower's hidden_size (${visionStack.d})`);
  }
  const head = 'vision_model.head.';
  return {
    projectionDim,
    logitScale: 'logit_scale',
    logitBias: 'logit_bias',
    vision: {
      stack: visionStack,
      ...{ imageSize, patchSize },
      patches: 'vision_model.embeddings.patch_embedding',
      patchBias: true,
      positions: 'vision_model.embeddings.position_embedding',
      finalNorm: 'vision_model.post_layernorm',
      pooling: {
        probe: `${head}probe`,
        ...{ q: `${head}attention.q`, k: `${head}attention.k`, v: `${head}attention.v` },
        out: `${head}attention.out_proj`,
        norm: `${head}layernorm`,
        ...{ up: `${head}mlp.fc1`, down: `${head}mlp.fc2` },
      },
    },
    text: {
      stack: textStack,
      vocab: text.size('vocab_size', 32000),
      maxLength: text.size('max_position_embeddings', 64),
      embed: 'text_model.embeddings.token_embedding',
      positions: 'text_model.embeddings.position_embedding',
      finalNorm: 'text_model.final_layer_norm',
      projection: 'text_model.head',
      projectionBias: true,
      eosId: 'last',
    },
    files: {
      buffers: /\.embeddings\.position_ids$/,
      linears: {
        [`${head}attention.in_proj`]: {
          split: ['q', 'k', 'v'].map((part) => `${head}attention.${part}`),
          weight: '_weight',
        },
      },
    },
  };
}

function readStack(config: ConfigReader, tower: 'vision' | 'text'): StackSpec {
  const d = config.size('hidden_size', 768);
  const heads = config.size('num_attention_heads', 12);
  if (d % heads !== 0) throw config.wrong('num_attention_heads', `a divisor of hidden_size (${d})`);
  return {
    layers: config.layers('num_hidden_layers', 12),
    ...{ d, heads, kvHeads: heads, headDim: d / heads },
    mlp: config.size('intermediate_size', 3072),
    norm: 'layer',
    epsilon: config.positive('layer_norm_eps', 1e-6),
    activation: config.activation('hidden_act', 'gelu_pytorch_tanh'),
    gated: false,
    causal: false,
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
  id: 'siglip',
  title: 'SigLIP image and text encoders (attention pooling, sigmoid loss)',
  paper: 'Zhai et al. 2023, arXiv:2303.15343',
  version: 1,
  modelTypes: ['siglip'],
  processor: 'Siglip',
  read: readSiglip,
});
