/** @file CLIP steering: targets of concepts, scores by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ZeroShotTask } from '../../harness/contract.ts';
import { type ClipScores, clipScores, clipScoresWithInfluences, largest } from './clip-scores.ts';
import { targetOf } from './clip-targets.ts';

const test = suite('tasks/steering/clip-scores');

const question = (id: string, ...labels: string[]): ZeroShotTask => ({
  id,
  classes: labels.map((label) => ({ label, prompts: [label] })),
  classOf: () => 0,
});
const questions = [
  question('colour', 'red', 'blue'),
  question('shape', 'ring', 'star'),
  question('background', 'black'),
];
const concepts = [
  { id: 'a', label: 'star', domain: 'shape' },
  { id: 'b', label: 'black background', domain: 'background' },
  { id: 'c', label: 'red ring', domain: 'pair' },
  { id: 'd', label: 'chest x-ray', domain: 'scan' },
];

test('a concept’s target is its class, or its label among the others; what its label names is related', () => {
  assert.equal(targetOf(concepts, 0, questions), { question: 'shape', answer: 1, unrelated: ['colour', 'background'] });
  assert.equal(targetOf(concepts, 1, questions), { question: 'background', answer: 0, unrelated: ['colour', 'shape'] });
  assert.equal(targetOf(concepts, 2, questions), { question: null, answer: 2, unrelated: ['background'] });
  assert.equal(targetOf(concepts, 3, questions).unrelated, ['colour', 'shape', 'background']);
});

test('a question whose classes name the concept is related to it, word for word', () => {
  const scans = question('scan', 'normal chest x-ray', 'chest x-ray with a nodule', 'normal brain scan');
  const others = [question('colour', 'red'), question('garment', 'starred hat'), scans];
  const asked = ['chest x-ray', 'brain scan', 'star'].map((label) => ({ id: label, label, domain: 'kind' }));
  assert.equal(
    asked.map((_, place) => targetOf(asked, place, others).unrelated),
    [
      ['colour', 'garment'],
      ['colour', 'garment'],
      ['colour', 'garment', 'scan'],
    ],
  );
});

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);

test('scores of two images by hand', () => {
  const target = {
    classes: 3,
    answer: 0,
    before: Float32Array.of(0, 1, 0, 0, 2, 0),
    after: Float32Array.of(3, 1, 1, 1, 2, 0),
  };
  const unrelated = [
    // Applies to both: the first image's answer changes.
    { classes: 2, before: Float32Array.of(1, 0, 1, 0), after: Float32Array.of(0, 1, 1, 0), applies: () => true },
    // Applies to the second image only, whose answer stays.
    {
      classes: 2,
      before: Float32Array.of(1, 0, 0, 1),
      after: Float32Array.of(0, 1, 0, 1),
      applies: (i: number) => i === 1,
    },
  ];
  const cosines = Float64Array.of(0.5, 0.9);
  const both = clipScores({ target, unrelated, cosines }, [0, 1]);
  close(both.flip_rate, 0.5);
  close(both.preservation, 2 / 3);
  close(both.overall, 4 / (2 + 1.5));
  close(both.off_target, (0.5 + 0) / 2);
  close(both.selectivity!, (3 + 1) / 0.5);
  assert.is(clipScores({ target: { ...target, after: target.before }, unrelated, cosines }, [0]).selectivity, null);
  close(both.drift, 0.3);
  const p = (a: number, b: number, c: number) => Math.exp(a) / (Math.exp(a) + Math.exp(b) + Math.exp(c));
  close(both.target_lift, (p(3, 1, 1) - p(0, 1, 0) + p(1, 2, 0) - p(0, 2, 0)) / 2);
  assert.is(clipScores({ target, unrelated, cosines }, [1]).overall, 0, 'nothing flipped');
  const alone = clipScores({ target, unrelated: [], cosines }, [0]);
  close(alone.preservation, 0.5);
  const never = clipScores({ target, unrelated: unrelated.map((q) => ({ ...q, applies: () => false })), cosines }, [0]);
  close(never.preservation, 0);
});

test('what an image adds to the error of a score is its derivative by the weight of the image', () => {
  const target = {
    classes: 2,
    answer: 0,
    before: Float32Array.of(0, 1, 0, 2, 0, 1),
    after: Float32Array.of(3, 1, 0, 2, 1.5, 1),
  };
  const unrelated = [
    {
      classes: 2,
      before: Float32Array.of(1, 0, 1, 0, 1, 0),
      after: Float32Array.of(0, 1, 1, 0, 1, 0),
      applies: () => true,
    },
  ];
  const steered = { target, unrelated, cosines: Float64Array.of(0.5, 0.9, 0.7) };
  const images = [0, 1, 2];
  const { scores, influences } = clipScoresWithInfluences(steered, images);
  assert.equal(scores, clipScores(steered, images));
  const copies = 3000;
  const many = Array.from({ length: copies * images.length }, (_, i) => i % images.length);
  for (const [name, values] of Object.entries(influences) as [keyof ClipScores, number[]][]) {
    assert.ok(Math.abs(values.reduce((a, b) => a + b)) < 1e-12, name);
    for (const image of images) {
      const slope = copies * (clipScores(steered, [...many, image])[name]! - scores[name]!);
      assert.ok(Math.abs(slope - values[image]!) < 2e-3, `${name} ${image}: ${slope} vs ${values[image]}`);
    }
  }
});

test('ties go to the first class', () => {
  assert.is(largest(Float32Array.of(1, 3, 3)), 1);
});

test.run();
