/** @file DINOv2 (Oquab et al. 2024), with or without registers, in Hugging Face layout: a ViT with scaled layers. */
import type { ConfigReader } from './config.ts';
import { defineImageEncoder, type ImageEncoder } from './define-image-encoder.ts';
import { gridOf } from './image-grid.ts';
import { readHeads } from './layer-norm-stack.ts';

/**
 * Reads Hugging Face's `Dinov2Config` or `Dinov2WithRegistersConfig`. The embedding is the class token's state after the
 * final norm. Positions are interpolated to the size that the preprocessor gives images, as transformers does it.
 *
 * @throws UserError for an impossible field.
 */
export function readDinov2(config: ConfigReader): ImageEncoder {
  const registers = config.oneOf('model_type', ['dinov2', 'dinov2_with_registers'], 'dinov2') !== 'dinov2';
  const { imageSize, patchSize } = gridOf(config, { imageSize: 224, patchSize: registers ? 16 : 14 });
  const heads = readHeads(config, ['hidden_size', 768], ['num_attention_heads', 12]);
  const gated = config.flag('use_swiglu_ffn', false);
  const mlp = Math.trunc(heads.d * config.positive('mlp_ratio', 4));
  return {
    vision: {
      stack: {
        layers: config.layers('num_hidden_layers', 12),
        ...heads,
        // Two thirds of the width, rounded up to a multiple of 8.
        mlp: gated ? Math.floor((Math.trunc((mlp * 2) / 3) + 7) / 8) * 8 : mlp,
        norm: 'layer',
        epsilon: config.positive('layer_norm_eps', 1e-6),
        activation: gated ? 'silu' : config.activation('hidden_act', 'gelu'),
        gated,
        causal: false,
        bias: { attention: config.flag('qkv_bias', true), out: true, mlp: true, norm: true },
        blockPrefix: (layer) => `encoder.layer.${layer}.`,
        names: {
          attentionNorm: 'norm1',
          q: 'attention.attention.query',
          k: 'attention.attention.key',
          v: 'attention.attention.value',
          out: 'attention.output.dense',
          attentionScale: 'layer_scale1.lambda1',
          mlpNorm: 'norm2',
          ...(gated ? { gate: 'mlp.gate', up: 'mlp.up', down: 'mlp.weights_out' } : { up: 'mlp.fc1', down: 'mlp.fc2' }),
          mlpScale: 'layer_scale2.lambda1',
        },
        ...(gated ? { stored: { 'mlp.weights_in': { split: ['mlp.gate', 'mlp.up'] } } } : {}),
      },
      ...{ imageSize, patchSize },
      patches: 'embeddings.patch_embeddings.projection',
      patchBias: true,
      classToken: 'embeddings.cls_token',
      ...(registers
        ? { registers: { name: 'embeddings.register_tokens', count: config.size('num_register_tokens', 4) } }
        : {}),
      positions: 'embeddings.position_embeddings',
      leading: true,
      finalNorm: 'layernorm',
      interpolation: registers ? 'antialias' : 'bicubic',
    },
    files: {
      linears: { 'embeddings.position_embeddings': { weight: '' } },
      // What stands in place of masked patches in training.
      buffers: /^embeddings\.mask_token$/,
    },
  };
}

export default defineImageEncoder({
  id: 'dinov2',
  title: 'DINOv2 image encoders, with or without registers',
  paper: 'Oquab et al. 2024, arXiv:2304.07193; Darcet et al. 2024, arXiv:2309.16588',
  version: 1,
  modelTypes: ['dinov2', 'dinov2_with_registers'],
  processor: 'Bit',
  read: readDinov2,
});
