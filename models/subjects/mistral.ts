/** @file Mistral (Jiang et al. 2023) in Hugging Face layout: Llama with a window of attention in every layer. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { readDecoder } from './decoder.ts';
import { defineCausalLm } from './define-causal-lm.ts';
import { readWindow } from './window.ts';

/**
 * Reads Hugging Face's `MistralConfig`. A config that does not name `sliding_window` has one of 4096; `null` is none.
 *
 * @throws UserError for a missing or impossible field, or layers that differ (`layer_types`), as Ministral's.
 */
export function readMistral(config: ConfigReader): CausalLm {
  const lm = readDecoder(config, {
    ...{ vocab: 32000, d: 4096, mlp: 14336, layers: 32, heads: 32, kvHeads: 8 },
    maxLength: 131072,
    epsilon: 1e-6,
    ...{ bosId: 1, eosId: 2 },
  });
  const { stack } = lm;
  const size = config.sizeOrNone('sliding_window', 4096);
  const window = readWindow(config, stack.layers, size, () => size !== undefined);
  const alike = Array.from({ length: stack.layers }, (_, layer) => (size !== undefined) === window?.in(layer));
  // Transformers' Mistral has one kind of layer and passes over the list.
  if (window && alike.includes(false)) {
    throw config.wrong('layer_types', 'one kind of layer, with a window as sliding_window says');
  }
  return { ...lm, stack: { ...stack, window } };
}

export default defineCausalLm({
  id: 'mistral',
  title: 'Mistral-architecture language models (Llama with a sliding window)',
  paper: 'Jiang et al. 2023, arXiv:2310.06825',
  version: 1,
  modelTypes: ['mistral'],
  read: readMistral,
});
