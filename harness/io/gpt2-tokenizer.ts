/** @file GPT-2's tokenizer as a tokenizer.json, built from `vocab.json` (`encoder.json`) and `merges.txt` (`vocab.bpe`). */
import { addedToken } from './added-token.ts';

const END = '<|endoftext|>';

/** `tokenizer.json` and `tokenizer_config.json` of a GPT-2 style byte-level BPE, as HF's GPT2TokenizerFast. */
export function gpt2Tokenizer(vocab: Record<string, number>, merges: string[]): { json: object; config: object } {
  const hasEnd = Object.hasOwn(vocab, END);
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: hasEnd ? [addedToken(END, vocab[END])] : [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
    post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', continuing_subword_prefix: '', end_of_word_suffix: '', fuse_unk: false, vocab, merges },
  };
  const special = hasEnd ? { bos_token: END, eos_token: END, unk_token: END } : {};
  return { json, config: { tokenizer_class: 'GPT2Tokenizer', ...special, model_max_length: 1024 } };
}
