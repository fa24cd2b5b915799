/** @file Image concepts and their labelled images, zero-shot classes, and the tokenizer of tiny-clip. */
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import { hardNegativeImage, imageConcepts, imageExamples, negativeImage, shows } from './concepts.ts';
import { sampleAttributes } from './scene.ts';
import { generateImage } from './world.ts';
import { zeroShotClasses } from './zero-shot.ts';

const test = suite('image-world concepts');
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../models/pretrained/tiny-clip/${name}`, import.meta.url), 'utf8'));
const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));

test('there are enough concepts, scans among them, with ids of their own', () => {
  assert.ok(imageConcepts.length >= 24);
  assert.is(new Set(imageConcepts.map(({ id }) => id)).size, imageConcepts.length);
  assert.ok(imageConcepts.filter(({ clinical }) => clinical).length >= 4);
});

test('positives show the concept, negatives and hard negatives do not', () => {
  const rng = createRng(41);
  for (const concept of imageConcepts) {
    for (let i = 0; i < 8; i++) {
      assert.ok(shows(generateImage(rng, concept.fixed).attributes, concept));
      assert.not.ok(shows(negativeImage(concept, rng).attributes, concept));
      const hard = hardNegativeImage(concept, rng).attributes;
      assert.not.ok(shows(hard, concept), concept.id);
      const wrong = Object.entries(concept.fixed).filter(([key, value]) => hard[key as keyof typeof hard] !== value);
      assert.is(wrong.length, 1, concept.id);
    }
  }
});

test('splits have the asked sizes and do not depend on what was drawn before', () => {
  const rng = createRng(42);
  const concept = imageConcepts[0]!;
  const first = imageExamples(concept, 'eval', rng, 3);
  rng.uniform();
  assert.equal(imageExamples(concept, 'eval', rng, 3), first);
  assert.not.equal(imageExamples(concept, 'train', rng, 3), first);
  assert.equal([first.positives.length, first.negatives.length, first.hardNegatives.length], [3, 3, 3]);
});

test('every image belongs to the class that its attributes say', () => {
  const rng = createRng(43);
  for (const { id, classes, classOf } of zeroShotClasses) {
    const seen = new Set<number>();
    for (let i = 0; i < 400; i++) {
      const attributes = sampleAttributes(rng);
      const index = classOf(attributes);
      if (index === undefined) continue;
      seen.add(index);
      if (id === 'scan') continue;
      assert.is(classes[index]!.label, attributes[id as keyof typeof attributes]);
    }
    assert.is(seen.size, classes.length, id);
  }
});

test('captions and prompts are whole words of the vocabulary, within the context, ended by the largest id', () => {
  const rng = createRng(44);
  const texts = [
    ...Array.from({ length: 300 }, () => generateImage(rng).caption),
    ...imageConcepts.map(({ prompt }) => prompt),
    ...zeroShotClasses.flatMap(({ classes }) => classes.flatMap(({ prompts }) => prompts)),
  ];
  const end = tokenizer.token_to_id('<|endoftext|>');
  const start = tokenizer.token_to_id('<|startoftext|>');
  assert.is(end, 695);
  for (const text of texts) {
    const { ids, tokens } = tokenizer.encode(text);
    assert.ok(ids.length <= 32, text);
    assert.equal([ids[0], ids.at(-1)], [start, end]);
    assert.ok(
      ids.slice(1, -1).every((id: number) => id < 694),
      text,
    );
    assert.is(tokens.length - 2, text.replace('x-ray', 'x - ray').split(' ').length, tokens.join('|'));
  }
});

test('letter case and spacing do not matter, and any text has tokens', () => {
  assert.equal(tokenizer.encode('A  Photo of\na RED circle').ids, tokenizer.encode('a photo of a red circle').ids);
  assert.ok(tokenizer.encode('größe 42 🙂').ids.length > 8);
});

test.run();
