/** @file What Llama's descendants have in common in Hugging Face layout: fields of their configs, names of their tensors. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { readHead } from './language-head.ts';
import { createRotary, readRotary } from './positions.ts';

/** Values of a family's configuration class for what a config leaves out; without one the config must say it. */
export interface DecoderDefaults {
  vocab?: number;
  d?: number;
  mlp?: number;
  layers?: number;
  heads?: number;
  /** As many as heads where neither says it, or the config says `null`. */
  kvHeads?: number;
  /** d / heads where neither says it. */
  headDim?: number;
  maxLength: number;
  epsilon: number;
  tied?: boolean;
  bosId?: number;
  eosId?: number;
  /** Field and default of the activation function; `hidden_act`, `silu` when omitted. */
  activation?: readonly [field: string, fallback: string];
  /** What the names of tensors begin with; `model.` when omitted. */
  prefix?: string;
}

/** Even sizes of heads that fit. @throws UserError */
function readHeads(config: ConfigReader, d: number, defaults: DecoderDefaults) {
  const heads = config.size('num_attention_heads', defaults.heads);
  const kvHeads = config.sizeOrNone('num_key_value_heads', defaults.kvHeads) ?? heads;
  if (heads % kvHeads !== 0) throw config.wrong('num_key_value_heads', `a divisor of num_attention_heads (${heads})`);
  const given = config.has('head_dim') || defaults.headDim !== undefined;
  if (!given && d % heads !== 0) throw config.wrong('hidden_size', `a multiple of ${heads} heads`);
  const headDim = config.size('head_dim', defaults.headDim ?? d / heads);
  if (headDim % 2 !== 0) throw config.wrong('head_dim', `an even number (rotary pairs), not ${headDim}`);
  return { heads, kvHeads, headDim };
}

/**
 * The architecture of a config with Llama's fields: RMSNorm before attention and MLP, gated MLP without biases, biases of the
 * attention where `attention_bias` says so. A family changes what is otherwise in it.
 *
 * @param positions How it turns queries and keys; by `readRotary` when omitted.
 * @throws UserError for a missing or impossible field, or a rotary scaling that is not computed here.
 */
export function readDecoder(
  config: ConfigReader,
  defaults: DecoderDefaults,
  positions = (headDim: number): CausalLm['positions'] => ({ rotary: createRotary(headDim, readRotary(config)) }),
): CausalLm {
  const d = config.size('hidden_size', defaults.d);
  const { heads, kvHeads, headDim } = readHeads(config, d, defaults);
  const prefix = defaults.prefix ?? 'model.';
  const embedding = `${prefix}embed_tokens`;
  const own = prefix.replace(/model\.$/, 'lm_head');
  const { head, copies } = readHead(config, embedding, own, defaults.tied ?? false);
  const [activationField, activation] = defaults.activation ?? ['hidden_act', 'silu'];
  return {
    vocab: config.size('vocab_size', defaults.vocab),
    maxLength: config.size('max_position_embeddings', defaults.maxLength),
    bosId: config.tokenId('bos_token_id', defaults.bosId),
    eosId: config.tokenIds('eos_token_id', defaults.eosId),
    embed: embedding,
    positions: positions(headDim),
    stack: {
      layers: config.layers('num_hidden_layers', defaults.layers),
      ...{ d, heads, kvHeads, headDim },
      mlp: config.size('intermediate_size', defaults.mlp),
      norm: 'rms',
      epsilon: config.positive('rms_norm_eps', defaults.epsilon),
      activation: config.activation(activationField, activation),
      gated: true,
      causal: true,
      bias: { attention: config.flag('attention_bias', false), mlp: false, norm: false },
      blockPrefix: (layer) => `${prefix}layers.${layer}.`,
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
    finalNorm: `${prefix}norm`,
    head,
    files: {
      prefix,
      buffers: /rotary_emb\.inv_freq$/,
      copies,
    },
  };
}
