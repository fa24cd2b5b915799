/** @file BERT (Devlin et al. 2019) in Hugging Face layout: norms after each layer, learned positions, types of tokens. */
import type { ConfigReader } from './config.ts';
import { defineTextEncoder } from './define-text-encoder.ts';
import { readLayerNormStack } from './layer-norm-stack.ts';
import type { TextEncoder } from './text-encoder.ts';

/**
 * Reads Hugging Face's `BertConfig`.
 *
 * @throws UserError for a missing or impossible field, for positions that are not absolute, and for a decoder.
 */
export function readBert(config: ConfigReader): TextEncoder {
  config.oneOf('position_embedding_type', ['absolute'], 'absolute');
  config.fixed('is_decoder', false);
  config.fixed('add_cross_attention', false);
  const usual = { d: 768, mlp: 3072, layers: 12, heads: 12, epsilon: 1e-12, activation: 'gelu' };
  const stack = readLayerNormStack(config, usual, {
    blockPrefix: (layer) => `bert.encoder.layer.${layer}.`,
    names: {
      q: 'attention.self.query',
      k: 'attention.self.key',
      v: 'attention.self.value',
      out: 'attention.output.dense',
      attentionNorm: 'attention.output.LayerNorm',
      up: 'intermediate.dense',
      down: 'output.dense',
      mlpNorm: 'output.LayerNorm',
    },
  });
  return {
    stack: { ...stack, normPlace: 'after' },
    vocab: config.size('vocab_size', 30522),
    maxLength: config.size('max_position_embeddings', 512),
    embed: 'bert.embeddings.word_embeddings',
    positions: 'bert.embeddings.position_embeddings',
    tokenTypes: { name: 'bert.embeddings.token_type_embeddings', types: config.size('type_vocab_size', 2) },
    inputNorm: 'bert.embeddings.LayerNorm',
    files: {
      prefix: 'bert.',
      // Position ids, and heads of pretraining and of what came after it, which no sentence embedding goes through.
      buffers: /(^|\.)embeddings\.position_ids$|(^|\.)pooler\.dense\.|^(cls|classifier|qa_outputs)\./,
      // As in TensorFlow, from which the first files were made, bert-base-uncased among them.
      oldEnds: { 'LayerNorm.weight': 'LayerNorm.gamma', 'LayerNorm.bias': 'LayerNorm.beta' },
    },
  };
}

export default defineTextEncoder({
  id: 'bert',
  title: 'BERT-architecture text encoders and sentence embedders',
  paper: 'Devlin et al. 2019, arXiv:1810.04805; Reimers & Gurevych 2019, arXiv:1908.10084',
  version: 1,
  modelTypes: ['bert'],
  read: readBert,
});
