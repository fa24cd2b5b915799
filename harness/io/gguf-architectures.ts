/**
 * @file The architectures whose GGUF files are read: how their metadata and tensors are called in Hugging Face's layout.
 * One entry an architecture; `gguf-config.ts` and `gguf-weights.ts` follow it. Source: convert_hf_to_gguf.py of llama.cpp.
 */

/** What an architecture's files say otherwise than Hugging Face's. */
export interface GgufArchitecture {
  /** `model_type` of `config.json`. */
  modelType: string;
  /** Fields of `config.json` by the metadata's keys, which there begin with the architecture's name and a dot. */
  fields: Readonly<Record<string, string>>;
  /** Fields that are true or false, likewise. */
  flags?: Readonly<Record<string, string>>;
  /** The field for the share of a head that turns with its position, where not all of it does. */
  rotaryShare?: string;
  /** Fields of `config.json` that no key says. */
  fixed?: Readonly<Record<string, unknown>>;
  /** Fields of `config.json` that follow from numbers of the metadata. */
  derived?: (number: (key: string) => number) => Record<string, unknown>;
  /** Gains of norms are stored as what they multiply with, where Hugging Face's layout has what is added to 1. */
  wholeGains?: boolean;
  /** A field for whether there are biases, by the tensor that shows it. */
  biases?: Readonly<Record<string, string>>;
  /** Hugging Face's names by GGUF's, both without `.weight` and `.bias`; those of a block without what is before its own. */
  tensors: Readonly<Record<string, string>>;
  /** What comes before a block's own names. */
  block: (layer: string) => string;
  /** Layers whose rows llama.cpp reorders within each head, to pair those that turn together: undone on reading. */
  interleaved?: Readonly<Record<string, 'queries' | 'keys'>>;
  /** Weights that Hugging Face's layout has as [in, out]. */
  transposed?: readonly string[];
  /** Fused layers with all queries, then all keys, then all values, where Hugging Face's layout has those three head by head. */
  fusedByKind?: readonly string[];
}

/** Keys that most decoders have. */
const DECODER_FIELDS = {
  context_length: 'max_position_embeddings',
  block_count: 'num_hidden_layers',
  embedding_length: 'hidden_size',
  feed_forward_length: 'intermediate_size',
  'attention.head_count': 'num_attention_heads',
  'attention.head_count_kv': 'num_key_value_heads',
  'attention.key_length': 'head_dim',
  'attention.layer_norm_rms_epsilon': 'rms_norm_eps',
  'rope.freq_base': 'rope_theta',
};

/** Names of Llama's layout, which many share. */
const LLAMA_TENSORS = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

const llamaBlock = (layer: string) => `model.layers.${layer}.`;

const QUERY_KEY_NORMS = { attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' };
const POST_NORMS = { post_attention_norm: 'post_attention_layernorm', post_ffw_norm: 'post_feedforward_layernorm' };

/** What Gemma 2 and 3 have in common. `large` is the number of blocks of the one model whose scores are scaled by d / heads. */
const gemma = (large: number) => ({
  derived: (number: (key: string) => number) => ({
    query_pre_attn_scalar:
      number('block_count') === large
        ? number('embedding_length') / number('attention.head_count')
        : number('attention.key_length'),
  }),
  wholeGains: true,
  tensors: { ...LLAMA_TENSORS, ...POST_NORMS, ffn_norm: 'pre_feedforward_layernorm' },
  block: llamaBlock,
});

/** By `general.architecture`. */
export const GGUF_ARCHITECTURES: Readonly<Record<string, GgufArchitecture>> = {
  llama: {
    modelType: 'llama',
    fields: DECODER_FIELDS,
    fixed: { hidden_act: 'silu' },
    biases: { attention_bias: 'attn_q', mlp_bias: 'ffn_up' },
    tensors: LLAMA_TENSORS,
    block: llamaBlock,
    interleaved: { attn_q: 'queries', attn_k: 'keys' },
  },
  qwen2: { modelType: 'qwen2', fields: DECODER_FIELDS, tensors: LLAMA_TENSORS, block: llamaBlock },
  qwen3: {
    modelType: 'qwen3',
    fields: DECODER_FIELDS,
    biases: { attention_bias: 'attn_q' },
    tensors: { ...LLAMA_TENSORS, ...QUERY_KEY_NORMS },
    block: llamaBlock,
  },
  gemma2: {
    modelType: 'gemma2',
    fields: {
      ...DECODER_FIELDS,
      'attention.sliding_window': 'sliding_window',
      attn_logit_softcapping: 'attn_logit_softcapping',
      final_logit_softcapping: 'final_logit_softcapping',
    },
    ...gemma(46),
  },
  gemma3: {
    modelType: 'gemma3_text',
    fields: {
      ...DECODER_FIELDS,
      'attention.sliding_window': 'sliding_window',
      'rope.freq_base_swa': 'rope_local_base_freq',
      final_logit_softcapping: 'final_logit_softcapping',
    },
    ...gemma(62),
    tensors: { ...gemma(62).tensors, ...QUERY_KEY_NORMS },
  },
  olmo2: {
    modelType: 'olmo2',
    fields: DECODER_FIELDS,
    biases: { attention_bias: 'attn_q' },
    tensors: { ...LLAMA_TENSORS, ...QUERY_KEY_NORMS, ...POST_NORMS },
    block: llamaBlock,
  },
  gpt2: {
    modelType: 'gpt2',
    fields: {
      context_length: 'n_positions',
      block_count: 'n_layer',
      embedding_length: 'n_embd',
      feed_forward_length: 'n_inner',
      'attention.head_count': 'n_head',
      'attention.layer_norm_epsilon': 'layer_norm_epsilon',
    },
    tensors: {
      token_embd: 'transformer.wte',
      position_embd: 'transformer.wpe',
      output_norm: 'transformer.ln_f',
      output: 'lm_head',
      attn_norm: 'ln_1',
      attn_qkv: 'attn.c_attn',
      attn_output: 'attn.c_proj',
      ffn_norm: 'ln_2',
      ffn_up: 'mlp.c_fc',
      ffn_down: 'mlp.c_proj',
    },
    block: (layer) => `transformer.h.${layer}.`,
    transposed: ['attn_qkv', 'attn_output', 'ffn_up', 'ffn_down'],
  },
  gptneox: {
    modelType: 'gpt_neox',
    fields: {
      context_length: 'max_position_embeddings',
      block_count: 'num_hidden_layers',
      embedding_length: 'hidden_size',
      feed_forward_length: 'intermediate_size',
      'attention.head_count': 'num_attention_heads',
      'attention.layer_norm_epsilon': 'layer_norm_eps',
      'rope.freq_base': 'rotary_emb_base',
    },
    flags: { use_parallel_residual: 'use_parallel_residual' },
    rotaryShare: 'rotary_pct',
    biases: { attention_bias: 'attn_qkv' },
    tensors: {
      token_embd: 'gpt_neox.embed_in',
      output_norm: 'gpt_neox.final_layer_norm',
      output: 'embed_out',
      attn_norm: 'input_layernorm',
      attn_qkv: 'attention.query_key_value',
      attn_output: 'attention.dense',
      ffn_norm: 'post_attention_layernorm',
      ffn_up: 'mlp.dense_h_to_4h',
      ffn_down: 'mlp.dense_4h_to_h',
    },
    block: (layer) => `gpt_neox.layers.${layer}.`,
    fusedByKind: ['attn_qkv'],
  },
  phi3: {
    modelType: 'phi3',
    fields: { ...DECODER_FIELDS, 'attention.sliding_window': 'sliding_window' },
    tensors: { ...LLAMA_TENSORS, attn_qkv: 'self_attn.qkv_proj', ffn_up: 'mlp.gate_up_proj' },
    block: llamaBlock,
  },
};
