/** @file Qwen 2 and 2.5 (Yang et al. 2024) in Hugging Face layout: Llama with biases of queries, keys and values. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { type DecoderDefaults, readDecoder } from './decoder.ts';
import { defineCausalLm } from './define-causal-lm.ts';
import { readWindow } from './window.ts';

/** What Qwen 2 and 3 have in common in transformers. */
export const QWEN_DEFAULTS: DecoderDefaults = {
  ...{ vocab: 151936, d: 4096, mlp: 22016, layers: 32, heads: 32, kvHeads: 32 },
  maxLength: 32768,
  epsilon: 1e-6,
};

/** The window of the upper layers, from `max_window_layers` on, of a config that uses one. */
export function qwenWindow(config: ConfigReader, layers: number): CausalLm['stack']['window'] {
  const size = config.flag('use_sliding_window', false) ? config.sizeOrNone('sliding_window', 4096) : undefined;
  const first = config.count('max_window_layers', 28);
  return readWindow(config, layers, size, (layer) => size !== undefined && layer >= first);
}

/**
 * Reads Hugging Face's `Qwen2Config`.
 *
 * @throws UserError for a missing or impossible field, positions of images (`use_mrope`) or a scaling as YaRN's.
 */
export function readQwen2(config: ConfigReader): CausalLm {
  config.fixed('use_mrope', false);
  const lm = readDecoder(config, QWEN_DEFAULTS);
  const { stack } = lm;
  const bias = { ...stack.bias, attention: true, out: false };
  return { ...lm, stack: { ...stack, bias, window: qwenWindow(config, stack.layers) } };
}

export default defineCausalLm({
  id: 'qwen2',
  title: 'Qwen-2-architecture language models (Llama with biases of q, k and v)',
  paper: 'Yang et al. 2024, arXiv:2407.10671',
  version: 1,
  modelTypes: ['qwen2'],
  read: readQwen2,
});
