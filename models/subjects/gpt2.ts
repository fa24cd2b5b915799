/** @file GPT-2 (Radford et al. 2019) in Hugging Face layout: LayerNorm, learned positions, fused weights stored [in, out]. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { defineCausalLm } from './define-causal-lm.ts';
import { readHead } from './language-head.ts';
import { readHeads } from './layer-norm-stack.ts';

const EMBEDDING = 'transformer.wte';

/**
 * Reads Hugging Face's `GPT2Config`.
 *
 * @throws UserError for a missing or impossible field, and for attention that is scaled otherwise than by 1/√width.
 */
function readGpt2(config: ConfigReader): CausalLm {
  // reorder_and_upcast_attn alone is well: it computes the same in float32, which everything here is.
  config.fixed('scale_attn_weights', true);
  config.fixed('scale_attn_by_inverse_layer_idx', false);
  config.fixed('add_cross_attention', false);
  const heads = readHeads(config, ['n_embd'], ['n_head']);
  const { head, copies } = readHead(config, EMBEDDING, 'lm_head', true);
  return {
    vocab: config.size('vocab_size'),
    maxLength: config.size('n_positions'),
    bosId: config.tokenId('bos_token_id'),
    eosId: config.tokenIds('eos_token_id'),
    embed: EMBEDDING,
    positions: { table: 'transformer.wpe' },
    stack: {
      layers: config.layers('n_layer'),
      ...heads,
      mlp: config.size('n_inner', 4 * heads.d),
      norm: 'layer',
      epsilon: config.positive('layer_norm_epsilon', 1e-5),
      activation: config.activation('activation_function', 'gelu_new'),
      gated: false,
      causal: true,
      bias: { attention: true, mlp: true, norm: true },
      blockPrefix: (layer) => `transformer.h.${layer}.`,
      names: {
        attentionNorm: 'ln_1',
        q: 'attn.q',
        k: 'attn.k',
        v: 'attn.v',
        out: 'attn.c_proj',
        mlpNorm: 'ln_2',
        up: 'mlp.c_fc',
        down: 'mlp.c_proj',
      },
      stored: {
        'attn.c_attn': { split: ['attn.q', 'attn.k', 'attn.v'], transpose: true },
        'attn.c_proj': { transpose: true },
        'mlp.c_fc': { transpose: true },
        'mlp.c_proj': { transpose: true },
      },
    },
    finalNorm: 'transformer.ln_f',
    head,
    files: {
      prefix: 'transformer.',
      // The causal mask, and what stands for −∞ in it.
      buffers: /\bh\.\d+\.attn\.(masked_)?bias$/,
      copies,
    },
  };
}

export default defineCausalLm({
  id: 'gpt2',
  title: 'GPT-2-architecture language models (LayerNorm, learned positions, tied head)',
  paper: 'Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"',
  version: 1,
  modelTypes: ['gpt2'],
  read: readGpt2,
});
