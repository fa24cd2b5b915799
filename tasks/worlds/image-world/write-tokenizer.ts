/**
 * @file Makes the tokenizer of tiny-clip (CLIP's byte-level BPE, lower case, end-of-word suffix) from the captions of
 * the image world, and its image preprocessing: `node --import tsx tasks/worlds/image-world/write-tokenizer.ts`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRng } from '../../../harness/contract.ts';
import { byteAlphabet, trainBpe } from '../bpe.ts';
import { SIDE } from './canvas.ts';
import { caption } from './caption.ts';
import { sampleAttributes } from './scene.ts';

const SAMPLE_CAPTIONS = 20_000;
const CONTEXT_LENGTH = 32;
const BOS = '<|startoftext|>';
const EOS = '<|endoftext|>';
/** CLIP's pattern: letters, single digits, or other symbols. */
const WORD_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
const END_OF_WORD = '</w>';
const OUT = new URL('../../../models/pretrained/tiny-clip/', import.meta.url);

const rng = createRng('image-world tokenizer');
const counts = new Map<string, number>();
for (let i = 0; i < SAMPLE_CAPTIONS; i++) {
  for (const [word] of caption(sampleAttributes(rng), rng).matchAll(new RegExp(WORD_PATTERN, 'gu'))) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
}
const alphabet = byteAlphabet();
const words = [...counts].map(([word, count]) => ({
  pieces: [...word.slice(0, -1), `${word.at(-1)}${END_OF_WORD}`],
  count,
}));
// Merge until every word of the captions is one token: as in CLIP, the special tokens come last.
const initial = [...alphabet, ...alphabet.map((byte) => byte + END_OF_WORD)];
const { vocab, merges } = trainBpe(words, initial, Number.POSITIVE_INFINITY);
const all = [...vocab, BOS, EOS];
const idOf = new Map(all.map((token, id) => [token, id]));
const special = (content: string): object => ({
  id: idOf.get(content),
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});
const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [special(BOS), special(EOS)],
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
      { type: 'Split', pattern: { Regex: WORD_PATTERN }, behavior: 'Removed', invert: true },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  },
  post_processor: {
    type: 'RobertaProcessing',
    sep: [EOS, idOf.get(EOS)],
    cls: [BOS, idOf.get(BOS)],
    trim_offsets: false,
    add_prefix_space: false,
  },
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: EOS,
    continuing_subword_prefix: '',
    end_of_word_suffix: END_OF_WORD,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab: Object.fromEntries(idOf),
    merges: merges.map((pair) => pair.join(' ')),
  },
};
const tokenizerConfig = {
  tokenizer_class: 'CLIPTokenizer',
  bos_token: BOS,
  eos_token: EOS,
  pad_token: EOS,
  unk_token: EOS,
  do_lower_case: true,
  clean_up_tokenization_spaces: false,
  model_max_length: CONTEXT_LENGTH,
};
const preprocessor = {
  image_processor_type: 'CLIPImageProcessor',
  do_convert_rgb: true,
  do_resize: true,
  size: { shortest_edge: SIDE },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: SIDE, width: SIDE },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
};
await mkdir(OUT, { recursive: true });
const write = (name: string, content: object, indent: number): Promise<void> =>
  writeFile(new URL(name, OUT), `${JSON.stringify(content, null, indent)}\n`);
await write('tokenizer.json', tokenizer, 1);
await write('tokenizer_config.json', tokenizerConfig, 2);
await write('preprocessor_config.json', preprocessor, 2);
console.log(`tiny-clip tokenizer: ${all.length} tokens, ${merges.length} merges, ${counts.size} different words`);
