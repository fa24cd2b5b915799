/** @file CLIP's tokenizer as a tokenizer.json, built from its vocabulary the way HF's CLIPTokenizerFast does. */
import { addedToken } from './added-token.ts';
import { BYTE_SYMBOLS } from './byte-symbols.ts';

const START = '<|startoftext|>';
const END = '<|endoftext|>';
/** What cuts a text into words before merging: contractions, letters, single digits, or other symbols. */
export const CLIP_WORDS = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
export const CLIP_WORD_END = '</w>';
export const CLIP_SPECIALS: readonly string[] = [START, END];
/** Longest text of the published CLIP models, both special tokens included. */
const MAX_TOKENS = 77;
/** Merges of `bpe_simple_vocab_16e6.txt` that OpenAI's CLIP uses: 49,152 - 256 - 2. The file holds more. */
export const CLIP_MERGES = 49152 - 256 - 2;

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
    ...BYTE_SYMBOLS.map((symbol) => `${symbol}${CLIP_WORD_END}`),
    ...merges.map((merge) => merge.replace(' ', '')),
    ...CLIP_SPECIALS,
  ];
  return { vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges };
}

/**
 * `tokenizer.json` and `tokenizer_config.json` of CLIP.
 *
 * @param vocab Ids by token; the two special tokens are among them.
 * @param maxLength Longest text that the model takes, both special tokens included.
 */
export function clipTokenizer(
  vocab: Record<string, number>,
  merges: string[],
  maxLength = MAX_TOKENS,
): { json: object; config: object } {
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: CLIP_SPECIALS.map((token) => addedToken(token, vocab[token])),
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
        { type: 'Split', pattern: { Regex: CLIP_WORDS }, behavior: 'Removed', invert: true },
        // The words are cut already: cutting them again would change nothing.
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [END, vocab[END]],
      cls: [START, vocab[START]],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: END,
      continuing_subword_prefix: '',
      end_of_word_suffix: CLIP_WORD_END,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
  const config = {
    tokenizer_class: 'CLIPTokenizer',
    bos_token: START,
    eos_token: END,
    pad_token: END,
    unk_token: END,
    do_lower_case: true,
    clean_up_tokenization_spaces: false,
    model_max_length: maxLength,
  };
  return { json, config };
}
