/** @file SigLIP (Zhai et al. 2023) in Hugging Face layout: images pooled by attention, texts by their last column. */
import { readTowerStack } from './clip.ts';
import type { ConfigReader } from './config.ts';
import { defineDualEncoder } from './define-dual-encoder.ts';
import type { DualEncoder } from './dual-encoder.ts';
import { gridOf } from './image-grid.ts';

/** Sizes of SigLIP base, which Hugging Face assumes where a config leaves them out. */
const TOWER = { d: 768, mlp: 3072, layers: 12, heads: 12, epsilon: 1e-6, activation: 'gelu_pytorch_tanh' };

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
  const visionStack = readTowerStack(vision, 'vision', TOWER);
  const textStack = readTowerStack(text, 'text', TOWER);
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

export default defineDualEncoder({
  id: 'siglip',
  title: 'SigLIP image and text encoders (attention pooling, sigmoid loss)',
  paper: 'Zhai et al. 2023, arXiv:2303.15343',
  version: 1,
  modelTypes: ['siglip'],
  processor: 'Siglip',
  read: readSiglip,
});
