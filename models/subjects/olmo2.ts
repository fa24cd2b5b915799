/** @file OLMo 2 (OLMo Team 2025) in Hugging Face layout: norms of what layers add and of all queries and keys, none before. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { readDecoder } from './decoder.ts';
import { defineCausalLm } from './define-causal-lm.ts';

/**
 * Reads Hugging Face's `Olmo2Config`.
 *
 * @throws UserError for a missing or impossible field, or a rotary scaling that is not computed here.
 */
export function readOlmo2(config: ConfigReader): CausalLm {
  const lm = readDecoder(config, {
    ...{ vocab: 50304, d: 4096, mlp: 11008, layers: 32, heads: 32 },
    maxLength: 2048,
    epsilon: 1e-5,
    eosId: 50279,
  });
  const { attentionNorm: _, mlpNorm: __, ...layers } = lm.stack.names;
  const names = {
    ...layers,
    qNorm: 'self_attn.q_norm',
    kNorm: 'self_attn.k_norm',
    attentionPostNorm: 'post_attention_layernorm',
    mlpPostNorm: 'post_feedforward_layernorm',
  };
  return { ...lm, stack: { ...lm.stack, names, queryKeyNorm: 'row' } };
}

export default defineCausalLm({
  id: 'olmo2',
  title: 'OLMo-2-architecture language models (norms after the layers, of whole queries and keys)',
  paper: 'OLMo Team 2025, arXiv:2501.00656',
  version: 1,
  modelTypes: ['olmo2'],
  read: readOlmo2,
});
