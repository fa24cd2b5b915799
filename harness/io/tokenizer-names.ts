/** @file Which files of a folder make its tokenizer: what is read, and what a fingerprint must hold. */

/** Older pairs of vocabulary and merges. */
export const VOCABULARY_PAIRS: readonly (readonly [string, string])[] = [
  ['vocab.json', 'merges.txt'],
  ['encoder.json', 'vocab.bpe'],
];

/** OpenAI's vocabulary of CLIP. */
export const OPENAI_VOCABULARY = /^bpe_simple_vocab_16e6\.txt(\.gz)?$/;

/** BERT's vocabulary, a token a line. */
export const BERT_VOCABULARY = 'vocab.txt';

/** `special_tokens_map.json` and `added_tokens.json` are read by transformers only, which other tools make activations with. */
const NAMES = [
  ...['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'],
  ...['special_tokens_map.json', 'added_tokens.json'],
];

/** Whether a file of that name may change the ids of a text, or of a conversation. */
export const isTokenizerFile = (name: string): boolean =>
  NAMES.includes(name) ||
  name === BERT_VOCABULARY ||
  VOCABULARY_PAIRS.flat().includes(name) ||
  OPENAI_VOCABULARY.test(name);
