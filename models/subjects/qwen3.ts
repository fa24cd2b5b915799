/** @file Qwen 3 (Yang et al. 2025) in Hugging Face layout: Llama with a norm of each head's queries and keys. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { readDecoder } from './decoder.ts';
import { defineCausalLm } from './define-causal-lm.ts';
import { QWEN_DEFAULTS, qwenWindow } from './qwen2.ts';

/**
 * Reads Hugging Face's `Qwen3Config`.
 *
 * @throws UserError for a missing or impossible field, or a scaling as YaRN's.
 */
export function readQwen3(config: ConfigReader): CausalLm {
  const lm = readDecoder(config, { ...QWEN_DEFAULTS, headDim: 128 });
  const { stack } = lm;
  const names = { ...stack.names, qNorm: 'self_attn.q_norm', kNorm: 'self_attn.k_norm' };
  return { ...lm, stack: { ...stack, names, queryKeyNorm: 'head', window: qwenWindow(config, stack.layers) } };
}

export default defineCausalLm({
  id: 'qwen3',
  title: 'Qwen-3-architecture language models (Llama with norms of queries and keys)',
  paper: 'Yang et al. 2025, arXiv:2505.09388',
  version: 1,
  modelTypes: ['qwen3'],
  read: readQwen3,
});
