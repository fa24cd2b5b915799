/** @file Phi-3 (Abdin et al. 2024) in Hugging Face layout: Llama with fused weights, a window, and LongRoPE up to its first length. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { readDecoder } from './decoder.ts';
import { defineCausalLm } from './define-causal-lm.ts';
import { createRotary, partialWidth, type RotarySpec, rotarySection, rotaryType } from './positions.ts';
import { readWindow } from './window.ts';

/** `longrope`, once named `su`: transformers takes the short factors up to `original_max_position_embeddings`. */
function readLongRope(config: ConfigReader, section: ConfigReader, pairs: number): RotarySpec['longRope'] {
  const length = config.size('original_max_position_embeddings', 4096);
  const factor = section.positive('factor', config.size('max_position_embeddings', 4096) / length);
  const usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(length));
  return {
    length,
    shortFactors: section.positives('short_factor', pairs),
    attentionFactor: section.positive('attention_factor', usual),
  };
}

/**
 * Reads Hugging Face's `Phi3Config`. With LongRoPE the longest text is `original_max_position_embeddings`: beyond it all
 * positions would be others.
 *
 * @throws UserError for a missing or impossible field, or a rotary scaling other than `default`, `longrope` and `su`.
 */
export function readPhi3(config: ConfigReader): CausalLm {
  const section = rotarySection(config);
  const long = rotaryType(section, ['longrope', 'su']) !== 'default';
  const theta = section.has('rope_theta') ? section.positive('rope_theta') : config.positive('rope_theta', 10000);
  const defaults = {
    ...{ vocab: 32064, d: 3072, mlp: 8192, layers: 32, heads: 32 },
    maxLength: 4096,
    epsilon: 1e-5,
    ...{ bosId: 1, eosId: 32000 },
  };
  const lm = readDecoder(config, defaults, (headDim) => {
    const width = partialWidth([section, config], 'partial_rotary_factor', headDim, 1);
    const longRope = long ? readLongRope(config, section, width / 2) : undefined;
    return { rotary: createRotary(width, { theta, longRope }) };
  });
  const { stack } = lm;
  const { q, k, v, gate, up } = stack.names;
  const size = config.sizeOrNone('sliding_window');
  return {
    ...lm,
    maxLength: long ? Math.min(lm.maxLength, config.size('original_max_position_embeddings', 4096)) : lm.maxLength,
    stack: {
      ...stack,
      window: readWindow(config, stack.layers, size, () => size !== undefined),
      stored: {
        'self_attn.qkv_proj': { split: [q, k, v] },
        'mlp.gate_up_proj': { split: [gate!, up] },
      },
    },
  };
}

export default defineCausalLm({
  id: 'phi3',
  title: 'Phi-3-architecture language models (Llama with fused weights)',
  paper: 'Abdin et al. 2024, arXiv:2404.14219',
  version: 1,
  modelTypes: ['phi3'],
  read: readPhi3,
});
