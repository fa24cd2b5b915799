/** @file Gemma 2 (Gemma Team 2024) in Hugging Face layout: norms before and after each layer, capped scores, windows in turn. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { type DecoderDefaults, readDecoder } from './decoder.ts';
import { defineCausalLm } from './define-causal-lm.ts';
import { readWindow } from './window.ts';

/** What Gemma 2 and 3 have in common in transformers. */
export const GEMMA_DEFAULTS: DecoderDefaults = {
  ...{ vocab: 256000, d: 2304, mlp: 9216, layers: 26, heads: 8, kvHeads: 4, headDim: 256 },
  maxLength: 8192,
  epsilon: 1e-6,
  tied: true,
  ...{ bosId: 2, eosId: 1 },
  activation: ['hidden_activation', 'gelu_pytorch_tanh'],
};

/**
 * What Gemma 2 and 3 have in common beyond Llama: a factor √d on the embedding, norms with a gain of 1 + weight before and
 * after attention and MLP, the scale of the scores from `query_pre_attn_scalar`, a cap on the logits.
 */
export function gemmaParts(config: ConfigReader, lm: CausalLm, logitCap: number | undefined): CausalLm {
  config.fixed('use_bidirectional_attention', false);
  const { stack } = lm;
  return {
    ...lm,
    // Where weights are bfloat16 in memory, transformers rounds the factor to that; here everything is float32.
    embedScale: Math.sqrt(stack.d),
    logitCap: config.positiveOrNone('final_logit_softcapping', logitCap),
    stack: {
      ...stack,
      gainOffset: true,
      scale: config.positive('query_pre_attn_scalar', 256) ** -0.5,
      names: {
        ...stack.names,
        attentionPostNorm: 'post_attention_layernorm',
        mlpNorm: 'pre_feedforward_layernorm',
        mlpPostNorm: 'post_feedforward_layernorm',
      },
    },
  };
}

/**
 * Reads Hugging Face's `Gemma2Config`.
 *
 * @throws UserError for a missing or impossible field, or attention in both directions.
 */
export function readGemma2(config: ConfigReader): CausalLm {
  const lm = gemmaParts(config, readDecoder(config, GEMMA_DEFAULTS), 30);
  const { stack } = lm;
  const size = config.sizeOrNone('sliding_window', 4096);
  return {
    ...lm,
    stack: {
      ...stack,
      scoreCap: config.positiveOrNone('attn_logit_softcapping', 50),
      window: readWindow(config, stack.layers, size, (layer) => layer % 2 === 0),
    },
  };
}

export default defineCausalLm({
  id: 'gemma2',
  title: 'Gemma-2-architecture language models (norms on both sides, soft caps, alternating windows)',
  paper: 'Gemma Team 2024, arXiv:2408.00118',
  version: 1,
  modelTypes: ['gemma2'],
  read: readGemma2,
});
