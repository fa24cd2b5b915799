/** @file Llama (Touvron et al. 2023) in Hugging Face layout: RMSNorm, rotary positions, grouped queries, SwiGLU. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { readDecoder } from './decoder.ts';
import { defineCausalLm } from './define-causal-lm.ts';

/**
 * Reads Hugging Face's `LlamaConfig`, of transformers 4 (`rope_theta`, `rope_scaling`) or 5 (`rope_parameters`).
 *
 * @throws UserError for a missing or impossible field, or a rotary scaling other than `default`, `linear`, `llama3`.
 */
export function readLlama(config: ConfigReader): CausalLm {
  const lm = readDecoder(config, { maxLength: 2048, epsilon: 1e-6 });
  const { stack } = lm;
  return { ...lm, stack: { ...stack, bias: { ...stack.bias, mlp: config.flag('mlp_bias', false) } } };
}

export default defineCausalLm({
  id: 'llama',
  title: 'Llama-architecture language models (RMSNorm, RoPE, GQA, SwiGLU)',
  paper: 'Touvron et al. 2023, arXiv:2302.13971',
  version: 1,
  modelTypes: ['llama'],
  read: readLlama,
});
