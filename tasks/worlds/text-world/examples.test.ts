/** @file Concept examples: labels, disjoint splits, and no label leak through length. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import { conceptExamples, steeringInstructions } from './examples.ts';
import type { TextDocument } from './generate.ts';
import { createTextWorld } from './world.ts';

const test = suite('text-world examples');
const world = createTextWorld();

/** Probability that a positive is longer than a negative, ties half. */
function auroc(positives: readonly number[], negatives: readonly number[]): number {
  let wins = 0;
  for (const p of positives) for (const q of negatives) wins += p > q ? 1 : p === q ? 0.5 : 0;
  return wins / (positives.length * negatives.length);
}

test('labels are right, sizes are those of AxBench, splits are disjoint', () => {
  const rng = createRng(21);
  for (const concept of ['blood-pressure', 'base64', 'joy']) {
    const train = conceptExamples(world, concept, 'train', rng);
    const evaluation = conceptExamples(world, concept, 'eval', rng);
    assert.equal([train.positives.length, train.negatives.length, evaluation.hardNegatives.length], [72, 72, 36]);
    const texts = [train, evaluation].map((set) =>
      Object.values(set).flatMap((docs) => docs.map((d: TextDocument) => d.text)),
    );
    assert.is(new Set(texts.flat()).size, texts.flat().length);
    const themed = (documents: readonly TextDocument[]) => documents.filter(({ theme }) => theme === concept).length;
    assert.ok(Math.abs(themed(train.positives) - 36) < 8, 'half of the positives have it as their theme');
    const governed = train.hardNegatives.filter(({ theme, spans }) =>
      spans.some(({ concept: id, start, end }) => id === theme && end - start > 24),
    );
    assert.ok(governed.length > 20, `${governed.length} hard negatives have a clause of their theme`);
    for (const set of [train, evaluation]) {
      assert.ok(set.positives.every((document) => document.concepts.includes(concept)));
      assert.not(set.negatives.some((document) => document.concepts.includes(concept)));
      assert.not(set.hardNegatives.some((document) => document.concepts.includes(concept)));
    }
  }
});

test('the same rng gives the same examples, whatever else was drawn', () => {
  const rng = createRng(22);
  const first = conceptExamples(world, 'river', 'eval', rng, { size: 4 });
  rng.uniform();
  assert.equal(conceptExamples(world, 'river', 'eval', rng, { size: 4 }), first);
});

test('length does not give the label away', () => {
  const rng = createRng(23);
  const wordCount = (text: string): number => text.split(/\s+/).length;
  const gaps = world.concepts.map(({ id }) => {
    const { positives, negatives, hardNegatives } = conceptExamples(world, id, 'eval', rng, { lengthOf: wordCount });
    const [own, ...others] = [positives, negatives, hardNegatives].map((docs) =>
      docs.map(({ text }) => wordCount(text)),
    );
    return Math.max(...others.map((lengths) => Math.abs(auroc(own!, lengths) - 0.5)));
  });
  assert.ok(Math.max(...gaps) < 0.1, `worst AUROC of length is 0.5 +- ${Math.max(...gaps)}`);
});

test('steering instructions name a topic and nothing else', () => {
  for (const { topic, instruction } of steeringInstructions(world, createRng(24), 50)) {
    const found = world.recognise(`${instruction}\n`);
    assert.is(found.instructionTopic, topic);
    assert.is(found.concepts.size, 0);
  }
});

test.run();
