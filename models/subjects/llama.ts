/** @file Llama (Touvron et al. 2023) in Hugging Face layout: RMSNorm, rotary positions, grouped queries, SwiGLU. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { defineCausalLm } from './define-causal-lm.ts';
import { createRotary, readRotary } from './positions.ts';

const EMBEDDING = 'model.embed_tokens';
const HEAD = 'lm_head';

/**
 * Reads Hugging Face's `LlamaConfig`, of transformers 4 (`rope_theta`, `rope_scaling`) or 5 (`rope_parameters`).
 *
 * @throws UserError for a missing or impossible field, or a rotary scaling other than `default`, `linear`, `llama3`.
 */
export function readLlama(config: ConfigReader): CausalLm {
  const d = config.size('hidden_size');
  const heads = config.size('num_attention_heads');
  const kvHeads = config.size('num_key_value_heads', heads);
  if (heads % kvHeads !== 0) throw config.wrong('num_key_value_heads', `a divisor of num_attention_heads (${heads})`);
  if (!config.has('head_dim') && d % heads !== 0) throw config.wrong('hidden_size', `a multiple of ${heads} heads`);
  const headDim = config.size('head_dim', d / heads);
  if (headDim % 2 !== 0) throw config.wrong('head_dim', `an even number (rotary pairs), not ${headDim}`);
  const tied = config.flag('tie_word_embeddings', false);
  return {
    vocab: config.size('vocab_size'),
    maxLength: config.size('max_position_embeddings', 2048),
    bosId: config.tokenId('bos_token_id'),
    eosId: config.tokenId('eos_token_id'),
    embed: EMBEDDING,
    positions: { rotary: createRotary(headDim, readRotary(config)) },
    stack: {
      layers: config.layers('num_hidden_layers'),
      ...{ d, heads, kvHeads, headDim },
      mlp: config.size('intermediate_size'),
      norm: 'rms',
      epsilon: config.positive('rms_norm_eps', 1e-6),
      activation: config.oneOf('hidden_act', ['silu'], 'silu'),
      gated: true,
      causal: true,
      bias: { attention: config.flag('attention_bias', false), mlp: config.flag('mlp_bias', false), norm: false },
      blockPrefix: (layer) => `model.layers.${layer}.`,
      names: {
        attentionNorm: 'input_layernorm',
        q: 'self_attn.q_proj',
        k: 'self_attn.k_proj',
        v: 'self_attn.v_proj',
        out: 'self_attn.o_proj',
        mlpNorm: 'post_attention_layernorm',
        gate: 'mlp.gate_proj',
        up: 'mlp.up_proj',
        down: 'mlp.down_proj',
      },
    },
    finalNorm: 'model.norm',
    head: tied ? EMBEDDING : HEAD,
    files: {
      prefix: 'model.',
      buffers: /rotary_emb\.inv_freq$/,
      copies: tied ? { [`${HEAD}.weight`]: `${EMBEDDING}.weight` } : {},
    },
  };
}

export default defineCausalLm({
  id: 'llama',
  title: 'Llama-architecture language models (RMSNorm, RoPE, GQA, SwiGLU)',
  paper: 'Touvron et al. 2023, arXiv:2302.13971',
  version: 1,
  modelTypes: ['llama'],
  read: readLlama,
});
