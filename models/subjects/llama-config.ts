/** @file The architecture of a Llama from its `config.json`. */
import { type ConfigReader, configReader } from './config.ts';
import type { RotarySpec } from './positions.ts';
import { type StackSpec, stackShapes } from './transformer.ts';

export interface LlamaConfig {
  stack: StackSpec;
  vocab: number;
  /** Longest sequence that the model was made for. */
  maxLength: number;
  /** Whether the embedding is the unembedding too. */
  tied: boolean;
  bosId?: number;
  eosId?: number;
}

/**
 * Reads Hugging Face's `LlamaConfig`, of transformers 4 (`rope_theta`, `rope_scaling`) or 5 (`rope_parameters`).
 *
 * @throws UserError for a missing or impossible field, or a rotary scaling other than `default`, `linear`, `llama3`.
 */
export function parseLlamaConfig(json: Record<string, unknown>, where = 'llama config.json'): LlamaConfig {
  const reader = configReader(json, where);
  const d = reader.size('hidden_size');
  const heads = reader.size('num_attention_heads');
  const kvHeads = reader.size('num_key_value_heads', heads);
  if (heads % kvHeads !== 0) throw reader.wrong('num_key_value_heads', `a divisor of num_attention_heads (${heads})`);
  if (!reader.has('head_dim') && d % heads !== 0) throw reader.wrong('hidden_size', `a multiple of ${heads} heads`);
  const headDim = reader.size('head_dim', d / heads);
  if (headDim % 2 !== 0) throw reader.wrong('head_dim', `an even number (rotary pairs), not ${headDim}`);
  return {
    vocab: reader.size('vocab_size'),
    maxLength: reader.size('max_position_embeddings', 2048),
    tied: reader.flag('tie_word_embeddings', false),
    bosId: reader.tokenId('bos_token_id'),
    eosId: reader.tokenId('eos_token_id'),
    stack: {
      layers: reader.size('num_hidden_layers'),
      d,
      heads,
      kvHeads,
      headDim,
      mlp: reader.size('intermediate_size'),
      norm: 'rms',
      epsilon: reader.positive('rms_norm_eps', 1e-6),
      activation: reader.oneOf('hidden_act', ['silu'], 'silu'),
      causal: true,
      bias: { attention: reader.flag('attention_bias', false), mlp: reader.flag('mlp_bias', false), norm: false },
      rotary: readRotary(reader),
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
  };
}

function readRotary(reader: ConfigReader): RotarySpec {
  const scaling = reader.section(reader.has('rope_parameters') ? 'rope_parameters' : 'rope_scaling');
  const theta = scaling.has('rope_theta') ? scaling.positive('rope_theta') : reader.positive('rope_theta', 10000);
  const key = scaling.has('rope_type') ? 'rope_type' : 'type';
  const type = scaling.oneOf(key, ['default', 'linear', 'llama3'], 'default');
  if (type === 'default') return { theta };
  const factor = scaling.positive('factor');
  if (type === 'linear') return { theta, linearFactor: factor };
  return {
    theta,
    llama3: {
      factor,
      lowFreqFactor: scaling.positive('low_freq_factor'),
      highFreqFactor: scaling.positive('high_freq_factor'),
      originalLength: scaling.size('original_max_position_embeddings'),
    },
  };
}

/** Names and shapes of all tensors of a Llama. */
export function llamaShapes({ stack, vocab, tied }: LlamaConfig): Record<string, number[]> {
  return {
    'model.embed_tokens.weight': [vocab, stack.d],
    ...stackShapes(stack),
    'model.norm.weight': [stack.d],
    ...(tied ? {} : { 'lm_head.weight': [vocab, stack.d] }),
  };
}
