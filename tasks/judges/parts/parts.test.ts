/** @file Parts of judges: repetition, corruption, the calibrated fluency scale, topics and bags of words. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import { repeatedShare } from '../../steering/texts.ts';
import { bagOfWordsGrades } from './bag-of-words.ts';
import { CORRUPTIONS, type Corruption, corrupt } from './corruption.ts';
import { calibrateFluency, fluencyScore, type TextLikelihood } from './fluency.ts';
import { recogniserJudge } from './recogniser.ts';
import { documentFrequencies, keepsToTopic, rareWords } from './word-overlap.ts';

const test = suite('tasks/judges/parts');
const texts = (...nlls: number[]): TextLikelihood[] => nlls.map((nll) => ({ tokens: 5, nll, repetition: 0 }));

test('repetition counts runs of three tokens seen before', () => {
  assert.is(repeatedShare([1, 2, 3, 4, 5]), 0);
  assert.is(repeatedShare([7, 7, 7, 7, 7]), 2 / 3);
  assert.is(repeatedShare([1, 2, 3, 1, 2, 3]), 1 / 4);
  assert.is(repeatedShare([1, 1, 1]), 0, 'one run cannot repeat');
  assert.is(repeatedShare([]), 0);
});

test('corruptions keep the number of words, touch as much as they say, and are seeded', () => {
  const text = 'one two three four five six seven eight nine ten eleven twelve';
  const words = text.split(' ');
  const make = (kind: Corruption, seed = 1) => corrupt(text, kind, ['alien'], createRng(seed)).split(' ');
  for (const kind of CORRUPTIONS) {
    assert.is(make(kind).length, 12, kind);
    assert.equal(make(kind), make(kind));
  }
  assert.equal([...make('swapped')].sort(), [...words].sort());
  const moved = make('swapped').filter((word, i) => word !== words[i]).length;
  assert.ok(moved >= 2 && moved <= 4);
  assert.is(make('replaced').filter((word) => word === 'alien').length, 2);
  assert.equal([...make('shuffled')].sort(), [...words].sort());
  assert.ok(make('random').every((word) => word === 'alien'));
  for (let seed = 0; seed < 20; seed++) assert.ok(new Set(make('repeated', seed)).size <= 4);
  assert.is(corrupt('alone', 'shuffled', ['x'], createRng(1)), 'alone');
});

test('the fluency scale: thresholds from quantiles and the best cut, with the separation it reached', () => {
  const repetitive = Array.from({ length: 4 }, () => ({ tokens: 5, nll: 0.1, repetition: 0.8 }));
  const scale = calibrateFluency(texts(1, 1, 1, 2), {
    swapped: texts(3, 3),
    replaced: texts(3, 4),
    shuffled: texts(6, 7),
    random: texts(3.5, 8),
    repeated: repetitive,
  });
  assert.ok(Math.abs(scale.fine - 1.85) < 1e-12, '95th percentile of 1, 1, 1, 2');
  // Cuts: after 3 J = 3/4; after 3.5 J = 3/4 - 1/4; after 4 J = 1 - 1/4.
  assert.is(scale.passable, 3.25, 'the first of the best cuts, half-way to the next value');
  assert.is(scale.repetition, 0.4);
  assert.is(scale.separation.realFromErrors, 1);
  assert.is(scale.separation.errorsFromNonsense, 15 / 16);
  assert.is(scale.separation.realFromRepetitive, 1);
  assert.equal(scale.scores['real'], [0, 0.25, 0.75]);
  assert.equal(scale.scores['repeated'], [1, 0, 0]);
  const score = (nll: number, repetition = 0, tokens = 5) => fluencyScore(scale, { tokens, nll, repetition });
  assert.equal([score(1.84), score(1.86), score(3.25), score(3.26)], [2, 1, 1, 0]);
  assert.is(score(0.1, 0.41), 0, 'repetition is not fluent however likely');
  assert.is(score(0, 0, 0), 0, 'an empty text');
});

test('real text that errs more than nonsense still has passable at or above fine', () => {
  const bad = { swapped: texts(1), replaced: texts(1), shuffled: texts(1), random: texts(1), repeated: texts(1) };
  const scale = calibrateFluency(texts(5, 5), bad);
  assert.ok(scale.passable >= scale.fine);
});

test('the recogniser looks once at a text', () => {
  let looks = 0;
  const judge = recogniserJudge(() => {
    looks++;
    return {
      concept: (id) => (id === 'a' ? { grade: 2 } : undefined),
      topic: (id) => (id === 't' ? { grade: 1 } : undefined),
    };
  });
  assert.is(judge.concept('text', { id: 'a', label: '' }), 2);
  assert.is(judge.concept('text', { id: 'b', label: '' }), 0);
  assert.is(judge.instruction('text', { id: 'p', text: '', topic: 't' }), 1);
  assert.is(judge.instruction('text', { id: 'p', text: '' }), 0);
  assert.is(looks, 1);
});

test('a text keeps to its topic when the rare words come again', () => {
  const documents = ['the brown kayak floats', ...Array.from({ length: 19 }, (_, i) => `the story number${i} ends`)];
  const frequencies = documentFrequencies(documents);
  assert.equal(rareWords('The brown kayak floats: the story', frequencies, 20), ['brown', 'floats', 'kayak']);
  const prompt = (topic: string) => ({ id: '', text: '', topic });
  assert.is(keepsToTopic('A KAYAK, and brown.', prompt('kayak lake brown')), 2);
  assert.is(keepsToTopic('a kayak', prompt('kayak lake brown')), 1);
  assert.is(keepsToTopic('a kayak', prompt('kayak')), 2);
  assert.is(keepsToTopic('kayaks', prompt('kayak')), 0);
  assert.is(keepsToTopic('anything', prompt('')), 0);
});

test('bag of words: graded by held-out texts, unknown words show nothing', () => {
  const repeat = (text: string) => Array.from({ length: 10 }, () => text);
  const positive = [...repeat('goal match team'), ...repeat('goal crowd')];
  const negative = [...repeat('bank money team'), ...repeat('bank crowd')];
  const texts = { positive, negative };
  let fits = 0;
  const grade = bagOfWordsGrades(() => {
    fits++;
    return { train: texts, heldOut: texts };
  });
  const concept = { id: 'sport', label: 'sport' };
  assert.is(grade('the goal of the match', concept), 2);
  assert.is(grade('a bank', concept), 0);
  assert.is(grade('zebra', concept), 0);
  assert.is(grade('', concept), 0);
  assert.is(fits, 1);
});

test('a bag of words that nothing calibrates is refused, not graded from 0', () => {
  const train = {
    positive: ['goal match', 'goal team', 'match team'],
    negative: ['bank money', 'bank loan', 'loan money'],
  };
  const concept = { id: 'sport', label: 'sport' };
  const gradeWith = (heldOut: typeof train) => () =>
    bagOfWordsGrades(() => ({ train, heldOut }))('goal match', concept);
  assert.throws(gradeWith({ positive: [], negative: ['bank'] }), /judge: concept 'sport': .*found none with it/);
  assert.throws(gradeWith({ positive: ['goal'], negative: ['zebra'] }), /found none without it/);
  assert.is(gradeWith({ positive: ['goal'], negative: ['bank'] })(), 2);
});

test.run();
