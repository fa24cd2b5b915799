/**
 * @file Makes the tokenizer of tiny-clip (CLIP's byte-level BPE, lower case, end-of-word suffix) from the captions of
 * the image world, and its image preprocessing: `node --import tsx
 * models/pretrained/tiny-clip/make/train-tokenizer.ts`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import {
  BYTE_ALPHABET,
  CLIP_SPECIALS,
  CLIP_WORD_END,
  CLIP_WORDS,
  clipTokenizer,
  createRng,
} from '../../../../harness/kit/index.ts';
import { SIDE } from '../../../../tasks/worlds/image-world/canvas.ts';
import { caption } from '../../../../tasks/worlds/image-world/caption.ts';
import { sampleAttributes } from '../../../../tasks/worlds/image-world/scene.ts';
import { countWords, trainBpe } from '../../bpe.ts';

const SAMPLE_CAPTIONS = 20_000;
const CONTEXT_LENGTH = 32;
const OUT = new URL('..', import.meta.url);

const rng = createRng('image-world tokenizer');

function* sampleWords(): Generator<string> {
  for (let i = 0; i < SAMPLE_CAPTIONS; i++) {
    for (const [word] of caption(sampleAttributes(rng), rng).matchAll(new RegExp(CLIP_WORDS, 'gu'))) yield word;
  }
}

const counts = countWords(sampleWords());
const words = [...counts].map(([word, count]) => ({
  pieces: [...word.slice(0, -1), `${word.at(-1)}${CLIP_WORD_END}`],
  count,
}));
// Merge until every word of the captions is one token: as in CLIP, the special tokens come last.
const initial = [...BYTE_ALPHABET, ...BYTE_ALPHABET.map((byte) => byte + CLIP_WORD_END)];
const { vocab, merges } = trainBpe(words, initial, Number.POSITIVE_INFINITY);
const all = [...vocab, ...CLIP_SPECIALS];
const idOf = Object.fromEntries(all.map((token, id) => [token, id]));
const tokenizer = clipTokenizer(
  idOf,
  merges.map((pair) => pair.join(' ')),
  CONTEXT_LENGTH,
);
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
await write('tokenizer.json', tokenizer.json, 1);
await write('tokenizer_config.json', tokenizer.config, 2);
await write('preprocessor_config.json', preprocessor, 2);
console.log(`tiny-clip tokenizer: ${all.length} tokens, ${merges.length} merges, ${counts.size} different words`);
