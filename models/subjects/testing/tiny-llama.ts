/** @file The config of a Llama of two small blocks, for tests that start from fresh weights. */
export const TINY_LLAMA = {
  hidden_size: 16,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 24,
  num_hidden_layers: 2,
  vocab_size: 20,
};
