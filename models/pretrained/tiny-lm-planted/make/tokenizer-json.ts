/** @file The files that tiny-lm-planted's tokenizer is written to: Hugging Face's tokenizer.json and the text world's `merges.ts`. */
import { addedToken } from '../../../../harness/kit/index.ts';
import { WORD_PATTERN } from '../../../../tasks/worlds/text-world/token-count.ts';
import type { Bpe } from '../../bpe.ts';

/** The special tokens, which come first. */
export const SPECIALS = ['<pad>', '<s>', '</s>'];

/** Characters of a line of `merges.ts`. */
const LINE = 100;

/** The source of `merges.ts`. */
export function mergesModule(merges: Bpe['merges']): string {
  const lines: string[] = [''];
  for (const pair of merges) {
    if (lines.at(-1)!.length > LINE) lines.push('');
    lines.push([lines.pop(), ...pair].filter(Boolean).join(' '));
  }
  const quoted = lines.map((line) => `  '${line.replace(/[\\']/g, '\\$&')}',\n`);
  return `/** @file The merges of the text world's tokenizer, in order: pairs of pieces. models/pretrained/tiny-lm-planted/make/ writes it. */
export const MERGES = [
${quoted.join('')}]
  .join(' ')
  .split(' ');
`;
}

/** The contents of a Hugging Face `tokenizer.json` that puts `bos` before every text. */
export function tokenizerJson(bpe: Bpe, specials: readonly string[], bos: string): object {
  const idOf = new Map(bpe.vocab.map((token, id) => [token, id]));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const withBos = (id: string): object[] => [
    { SpecialToken: { id: bos, type_id: 0 } },
    { Sequence: { id, type_id: 0 } },
  ];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specials.map((token) => addedToken(token, idOf.get(token))),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORD_PATTERN }, behavior: 'Isolated', invert: false },
        byteLevel,
      ],
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: withBos('A'),
      pair: [...withBos('A'), ...withBos('B')],
      special_tokens: { [bos]: { id: bos, ids: [idOf.get(bos)], tokens: [bos] } },
    },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(idOf),
      merges: bpe.merges.map((pair) => pair.join(' ')),
    },
  };
}
