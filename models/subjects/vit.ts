/** @file ViT (Dosovitskiy et al. 2021) in Hugging Face layout: a class token before patches, norms before each layer. */
import type { ConfigReader } from './config.ts';
import { defineImageEncoder, type ImageEncoder } from './define-image-encoder.ts';
import { gridOf } from './image-grid.ts';
import { readLayerNormStack } from './layer-norm-stack.ts';

/**
 * Reads Hugging Face's `ViTConfig`. The embedding is the class token's state after the final norm; the pooler, which many
 * checkpoints have untrained, and classifiers are left unread.
 *
 * @throws UserError for an impossible field.
 */
export function readVit(config: ConfigReader): ImageEncoder {
  const { imageSize, patchSize } = gridOf(config, { imageSize: 224, patchSize: 16 });
  const usual = { d: 768, mlp: 3072, layers: 12, heads: 12, epsilon: 1e-12, activation: 'gelu' };
  const stack = readLayerNormStack(config, usual, {
    blockPrefix: (layer) => `vit.encoder.layer.${layer}.`,
    names: {
      attentionNorm: 'layernorm_before',
      q: 'attention.attention.query',
      k: 'attention.attention.key',
      v: 'attention.attention.value',
      out: 'attention.output.dense',
      mlpNorm: 'layernorm_after',
      up: 'intermediate.dense',
      down: 'output.dense',
    },
  });
  return {
    vision: {
      stack: { ...stack, bias: { ...stack.bias, attention: config.flag('qkv_bias', true), out: true } },
      ...{ imageSize, patchSize },
      patches: 'vit.embeddings.patch_embeddings.projection',
      patchBias: true,
      classToken: 'vit.embeddings.cls_token',
      positions: 'vit.embeddings.position_embeddings',
      leading: true,
      finalNorm: 'vit.layernorm',
    },
    files: {
      prefix: 'vit.',
      linears: { 'vit.embeddings.position_embeddings': { weight: '' } },
      buffers: /(^|\.)(pooler\.dense\.|embeddings\.mask_token$)|^(classifier|decoder)\./,
    },
  };
}

export default defineImageEncoder({
  id: 'vit',
  title: 'Vision transformers (class token, learned positions)',
  paper: 'Dosovitskiy et al. 2021, arXiv:2010.11929',
  version: 1,
  modelTypes: ['vit'],
  processor: 'ViT',
  read: readVit,
});
