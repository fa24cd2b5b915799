/**
 * @file Trains the tokenizer of tiny-lm-planted on a seeded sample of the text world and writes it in Hugging Face layout, and its
 * merges into the text world, whose labelled documents are matched in length by them: `node --import tsx
 * models/pretrained/tiny-lm-planted/make/train-tokenizer.ts`. The same result on every machine.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { BYTE_ALPHABET, createRng } from '../../../../harness/kit/index.ts';
import { pretokenize } from '../../../../tasks/worlds/text-world/token-count.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { countWords, trainBpe } from '../../bpe.ts';
import { mergesModule, SPECIALS, tokenizerJson } from './tokenizer-json.ts';

const VOCAB_SIZE = 1536;
const SAMPLE_DOCUMENTS = 30_000;
/** Words seen less often are random strings (base64, colours): no merges for them. */
const MIN_WORD_COUNT = 8;
const MERGES = new URL('../../../../tasks/worlds/text-world/merges.ts', import.meta.url);
const OUT = new URL('..', import.meta.url);

const world = createTextWorld();
const rng = createRng('text-world tokenizer');

function* sampleWords(): Generator<string> {
  for (let i = 0; i < SAMPLE_DOCUMENTS; i++) yield* pretokenize(world.generate(rng).text);
}

const counts = countWords(sampleWords());
const words = [...counts]
  .filter(([, count]) => count >= MIN_WORD_COUNT)
  .map(([word, count]) => ({ pieces: [...word], count }));
const bpe = trainBpe(words, [...SPECIALS, ...BYTE_ALPHABET], VOCAB_SIZE);
await mkdir(OUT, { recursive: true });
await writeFile(new URL('tokenizer.json', OUT), `${JSON.stringify(tokenizerJson(bpe, SPECIALS, '<s>'), null, 1)}\n`);
await writeFile(MERGES, mergesModule(bpe.merges));
const config = {
  tokenizer_class: 'PreTrainedTokenizerFast',
  add_bos_token: true,
  add_eos_token: false,
  bos_token: '<s>',
  eos_token: '</s>',
  pad_token: '<pad>',
  unk_token: null,
  clean_up_tokenization_spaces: false,
  model_max_length: 160,
};
await writeFile(new URL('tokenizer_config.json', OUT), `${JSON.stringify(config, null, 2)}\n`);
console.log(
  `tiny-lm-planted tokenizer: ${bpe.vocab.length} tokens, ${bpe.merges.length} merges, ${counts.size} different words`,
);
