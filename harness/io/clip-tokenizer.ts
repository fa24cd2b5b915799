/** @file CLIP's tokenizer as a tokenizer.json, built from its vocabulary the way HF's CLIPTokenizerFast does. */

import { BYTE_SYMBOLS } from './byte-symbols.ts';

const START = '<|startoftext|>';
const END = '<|endoftext|>';
/** Longest text of the published CLIP models, both special tokens included. */
const MAX_TOKENS = 77;
/** Merges of `bpe_simple_vocab_16e6.txt` that OpenAI's CLIP uses: 49,152 - 256 - 2. The file holds more. */
const CLIP_MERGES = 49152 - 256 - 2;

/**
 * CLIP's vocabulary and merges from OpenAI's `bpe_simple_vocab_16e6.txt`: the byte symbols, the same with `</w>`, the
 * merged tokens, the two special ones (49,408 in all).
 */
export function clipVocabulary(bpeText: string): { vocab: Record<string, number>; merges: string[] } {
  const merges = bpeText
    .split('\n')
    .slice(1, CLIP_MERGES + 1)
    .map((line) => line.trimEnd())
    .filter((line) => line.length > 0);
  const tokens = [
    ...BYTE_SYMBOLS,
    ...BYTE_SYMBOLS.map((symbol) => `${symbol}</w>`),
    ...merges.map((merge) => merge.replace(' ', '')),
    START,
    END,
  ];
  return { vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges };
}

/** `tokenizer.json` and `tokenizer_config.json` of CLIP for a vocabulary that holds its two special tokens. */
export function clipTokenizer(vocab: Record<string, number>, merges: string[]): { json: object; config: object } {
  const special = (content: string) => ({
    id: vocab[content],
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const pattern = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [special(START), special(END)],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: pattern }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [END, vocab[END]],
      cls: [START, vocab[START]],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      unk_token: END,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges,
    },
  };
  const config = {
    tokenizer_class: 'CLIPTokenizer',
    bos_token: START,
    eos_token: END,
    unk_token: END,
    pad_token: END,
    model_max_length: MAX_TOKENS,
  };
  return { json, config };
}
