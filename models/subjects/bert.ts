/** @file BERT (Devlin et al. 2019) in Hugging Face layout: norms after each layer, learned positions, types of tokens. */
import type { ConfigReader } from './config.ts';
import { defineTextEncoder } from './define-text-encoder.ts';
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
  const d = config.size('hidden_size', 768);
  const heads = config.size('num_attention_heads', 12);
  if (d % heads !== 0) throw config.wrong('num_attention_heads', `a divisor of hidden_size (${d})`);
  return {
    stack: {
      layers: config.layers('num_hidden_layers', 12),
      ...{ d, heads, kvHeads: heads, headDim: d / heads },
      mlp: config.size('intermediate_size', 3072),
      norm: 'layer',
      normPlace: 'after',
      epsilon: config.positive('layer_norm_eps', 1e-12),
      activation: config.activation('hidden_act', 'gelu'),
      gated: false,
      causal: false,
      bias: { attention: true, mlp: true, norm: true },
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
    },
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
