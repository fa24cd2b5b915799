/** @file GPT-NeoX (Black et al. 2022), as Pythia, in Hugging Face layout: attention and MLP in parallel, partly rotary heads. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { defineCausalLm } from './define-causal-lm.ts';
import { readHead } from './language-head.ts';
import { readLayerNormStack } from './layer-norm-stack.ts';
import { createRotary, type Positions, partialWidth, readScaling, rotarySection } from './positions.ts';

const EMBEDDING = 'gpt_neox.embed_in';

/** `rotary_pct` and `rotary_emb_base` of transformers 4, fields of `rope_parameters` in 5. */
function readPositions(config: ConfigReader, headDim: number): Positions {
  const section = rotarySection(config);
  const width = section.has('partial_rotary_factor')
    ? partialWidth([section], 'partial_rotary_factor', headDim, 0.25)
    : partialWidth([config], 'rotary_pct', headDim, 0.25);
  const theta = section.has('rope_theta') ? undefined : config.positive('rotary_emb_base', 10000);
  return { rotary: createRotary(width, readScaling(section, theta)) };
}

/**
 * Reads Hugging Face's `GPTNeoXConfig`.
 *
 * @throws UserError for a missing or impossible field, or a rotary scaling that is not computed here.
 */
export function readGptNeoX(config: ConfigReader): CausalLm {
  const names = {
    attentionNorm: 'input_layernorm',
    q: 'attention.query',
    k: 'attention.key',
    v: 'attention.value',
    out: 'attention.dense',
    mlpNorm: 'post_attention_layernorm',
    up: 'mlp.dense_h_to_4h',
    down: 'mlp.dense_4h_to_h',
  };
  const usual = { d: 6144, mlp: 24576, layers: 44, heads: 64, epsilon: 1e-5, activation: 'gelu' };
  const stack = readLayerNormStack(config, usual, { blockPrefix: (layer) => `gpt_neox.layers.${layer}.`, names });
  const { heads, headDim } = stack;
  config.fixed('head_dim', headDim);
  const { head, copies } = readHead(config, EMBEDDING, 'embed_out', false);
  return {
    vocab: config.size('vocab_size', 50432),
    maxLength: config.size('max_position_embeddings', 2048),
    bosId: config.tokenId('bos_token_id', 0),
    eosId: config.tokenIds('eos_token_id', 2),
    embed: EMBEDDING,
    positions: readPositions(config, headDim),
    stack: {
      ...stack,
      causal: true,
      parallel: config.flag('use_parallel_residual', true),
      bias: { ...stack.bias, attention: config.flag('attention_bias', true) },
      stored: { 'attention.query_key_value': { split: [names.q, names.k, names.v], heads } },
    },
    finalNorm: 'gpt_neox.final_layer_norm',
    head,
    files: {
      prefix: 'gpt_neox.',
      buffers: /\battention\.(bias|masked_bias|rotary_emb\.inv_freq)$/,
      copies,
    },
  };
}

export default defineCausalLm({
  id: 'gpt-neox',
  title: 'GPT-NeoX-architecture language models, as Pythia (attention and MLP in parallel, partly rotary heads)',
  paper: 'Black et al. 2022, arXiv:2204.06745',
  version: 1,
  modelTypes: ['gpt_neox'],
  read: readGptNeoX,
});
