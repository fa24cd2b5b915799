/** @file Gemma 3 (Gemma Team 2025) in Hugging Face layout: the language model, alone or out of a model that reads images. */
import type { CausalLm } from './causal-lm.ts';
import type { ConfigReader } from './config.ts';
import { readDecoder } from './decoder.ts';
import { defineCausalLm } from './define-causal-lm.ts';
import { GEMMA_DEFAULTS, gemmaParts } from './gemma2.ts';
import { createRotary, type Positions, readScaling } from './positions.ts';
import { readWindow } from './window.ts';

/** Every so many layers one sees the whole text, where the config does not say which. */
const PATTERN = 6;

/**
 * Positions of layers without a window and with one: `rope_theta`, `rope_scaling` and `rope_local_base_freq` of
 * transformers 4, sections of `rope_parameters` in 5.
 */
function readPositions(config: ConfigReader, headDim: number): Positions {
  const kinds = ['full_attention', 'sliding_attention'];
  const both = config.section('rope_parameters');
  if (config.has('rope_parameters') && (config.has('rope_scaling') || !kinds.some((kind) => both.has(kind)))) {
    throw config.wrong('rope_parameters', `sections ${kinds.join(' and ')}, and no rope_scaling beside them`);
  }
  const old = config.has('rope_parameters') ? both.section('full_attention') : config.section('rope_scaling');
  const sections: [ConfigReader, string, number][] = [
    [old, 'rope_theta', 1e6],
    [both.section('sliding_attention'), 'rope_local_base_freq', 1e4],
  ];
  const [rotary, localRotary] = sections.map(([section, field, fallback]) => {
    section.fixed('partial_rotary_factor', 1);
    const theta = section.has('rope_theta') ? undefined : config.positive(field, fallback);
    return createRotary(headDim, readScaling(section, theta));
  });
  return { rotary: rotary!, localRotary: localRotary! };
}

/**
 * Reads Hugging Face's `Gemma3TextConfig`, or that part of a `Gemma3Config`.
 *
 * @throws UserError for a missing or impossible field, attention in both directions, or a cap that transformers' Gemma 3
 * reads and does not use: on scores, and on the logits of a model with images.
 */
export function readGemma3(whole: ConfigReader): CausalLm {
  const withImages = whole.oneOf('model_type', ['gemma3', 'gemma3_text'], 'gemma3_text') === 'gemma3';
  const config = withImages ? whole.section('text_config') : whole;
  config.none('attn_logit_softcapping');
  if (withImages) config.none('final_logit_softcapping');
  const tied = withImages ? whole.flag('tie_word_embeddings', true) : true;
  const defaults = { ...GEMMA_DEFAULTS, vocab: 262208, maxLength: 131072, tied };
  const prefix = withImages ? 'language_model.model.' : 'model.';
  const read = readDecoder(config, { ...defaults, prefix }, (headDim) => readPositions(config, headDim));
  const lm = gemmaParts(config, read, undefined);
  const { stack, files } = lm;
  const pattern = config.size('sliding_window_pattern', PATTERN);
  const size = config.sizeOrNone('sliding_window', 4096);
  return {
    ...lm,
    stack: {
      ...stack,
      names: { ...stack.names, qNorm: 'self_attn.q_norm', kNorm: 'self_attn.k_norm' },
      queryKeyNorm: 'head',
      window: readWindow(config, stack.layers, size, (layer) => (layer + 1) % pattern !== 0),
    },
    // Published models say there, beside text_config, what ends a turn.
    ...(withImages && whole.has('eos_token_id') ? { eosId: whole.tokenIds('eos_token_id') } : {}),
    // What reads images has no part in texts.
    files: withImages
      ? { ...files, prefix: 'language_model.', buffers: /^(vision_tower|multi_modal_projector)\./ }
      : files,
  };
}

export default defineCausalLm({
  id: 'gemma3',
  title: 'Gemma-3-architecture language models (norms of queries and keys, local and global positions)',
  paper: 'Gemma Team 2025, arXiv:2503.19786',
  version: 1,
  modelTypes: ['gemma3_text', 'gemma3'],
  read: readGemma3,
});
