/** @file Parts of judges: repetition, corruption, the calibrated fluency scale, topics and bags of words. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import { bagOfWordsGrades } from './bag-of-words.ts';
import { CORRUPTIONS, type Corruption, corrupt } from './corruption.ts';
import { type CalibrationText, calibrateFluency, fluencyScore } from './fluency.ts';
import { denied } from './negation.ts';
import { ownWords } from './own-words.ts';
import { recogniserJudge } from './recogniser.ts';
import { repeatedShare, repetition, saysAgain } from './repetition.ts';
import { documentFrequencies, keepsToTopic, rareWords } from './word-overlap.ts';

const test = suite('tasks/judges/parts');
const texts = (...nlls: number[]): CalibrationText[] => nlls.map((nll) => ({ losses: [nll], repetition: () => 0 }));

test('repetition: tokens in runs of three said before; half of what is said twice, at any length', () => {
  assert.is(repeatedShare([1, 2, 3, 4, 5]), 0);
  assert.is(repeatedShare([1, 2, 3, 1, 2, 3]), 0.5);
  assert.is(repeatedShare([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7]), 0.5);
  assert.is(repeatedShare([1, 2, 3, 4, 9, 1, 2, 3]), 3 / 8);
  assert.is(repeatedShare([7, 7, 7, 7, 7]), 4 / 5);
  assert.is(repeatedShare([1, 1, 1]), 0, 'one run cannot repeat');
  assert.is(repeatedShare([]), 0);
});

test('a sentence said twice is repetition, wherever it stands; a short one is not', () => {
  assert.ok(saysAgain('The cat sat down. It was late. the cat sat down'));
  assert.ok(saysAgain('the cat sat down; the cat sat down'));
  assert.not(saysAgain('The cat sat down. The cat sat down again.'));
  assert.not(saysAgain('Oh no, no. Oh no, no.'), 'three words');
  assert.is(repetition([1, 2, 3, 4], 'One two three four. One two three four.'), 1);
  assert.is(repetition([1, 2, 3, 1, 2, 3], 'a b c a b c'), 0.5);
  assert.is(repetition([], ''), 0);
});

test('own words: runs of four words of the prompt are copies, of a prompt of three all of it', () => {
  const prompt = 'Write about the old school.';
  assert.is(ownWords('write about THE old school, please', prompt), '\n, please');
  assert.is(ownWords('I write about the old pond', prompt), 'I \n pond');
  assert.is(ownWords('about the old pond', prompt), 'about the old pond');
  assert.is(ownWords('Describe a school.', 'Describe a school.'), '\n.');
  assert.is(ownWords('go go', 'go'), 'go go');
  assert.is(ownWords('', prompt), '');
  assert.is(ownWords('any text', ''), 'any text');
});

test('a mention is denied by a negation within four words of its clause', () => {
  const at = (text: string) => denied(text, text.indexOf('fever'));
  for (const text of ['no fever', 'It is not true that fever', "she hasn't a fever", 'Without any high fever']) {
    assert.ok(at(text), text);
  }
  for (const text of [
    'a fever',
    'no, a fever',
    'not today. fever',
    'not one of us knew of the fever',
    'notable fever',
  ]) {
    assert.not(at(text), text);
  }
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
  assert.ok(make('salad').every((word) => ['three', 'seven', 'eight', 'eleven', 'twelve'].includes(word)));
  for (let seed = 0; seed < 20; seed++) assert.ok(new Set(make('repeated', seed)).size <= 4);
  assert.is(corrupt('alone', 'shuffled', ['x'], createRng(1)), 'alone');
});

test('the fluency scale: thresholds from quantiles and the best cut, with the separation it reached', () => {
  const repetitive = Array.from({ length: 4 }, () => ({ losses: [0.1], repetition: () => 0.8 }));
  const spoilt = {
    swapped: texts(3, 3),
    replaced: texts(3, 4),
    shuffled: texts(6, 7),
    random: texts(3.5, 8),
    salad: texts(6, 6),
    repeated: repetitive,
  };
  const [level, ...others] = calibrateFluency(texts(1, 1, 1, 2), spoilt, 1).levels;
  assert.is(others.length, 0);
  const { fine, passable, repetition: repetitious, separation, scores } = level!;
  assert.ok(Math.abs(fine - 1.85) < 1e-12, '95th percentile of 1, 1, 1, 2');
  // Cuts: after 3 J = 3/4; after 3.5 J = 3/4 - 1/6; after 4 J = 1 - 1/6. The last, 5, leaves more than 5 % of nonsense: at
  // their 5th percentile, a quarter of the way from 3.5 to 6, fewer.
  assert.ok(Math.abs(passable - 4.125) < 1e-12, String(passable));
  assert.is(repetitious, 0.25);
  assert.is(separation.realFromErrors, 1);
  assert.is(separation.errorsFromNonsense, 23 / 24);
  assert.equal(scores['real'], [0, 0.25, 0.75]);
  assert.equal(scores['repeated'], [1, 0, 0]);
  const score = (nll: number, repetition = 0, tokens = 5) =>
    fluencyScore({ levels: [level!] }, { tokens, nll, repetition });
  assert.equal([score(1.84), score(1.86), score(4.12), score(4.13)], [2, 1, 1, 0]);
  assert.is(score(0.1, 0.26), 0, 'repetition is not fluent however likely');
  assert.is(score(0, 0, 0), 0, 'an empty text');
});

test('each length has thresholds of its own; between two they go with 1/√tokens, beyond the last they stay', () => {
  const of = (...losses: number[]): CalibrationText => ({ losses, repetition: (tokens) => (tokens < 4 ? 0 : 0.1) });
  const bad = {
    swapped: [],
    replaced: [of(9, 9, 9, 9)],
    shuffled: [of(9, 9, 9, 9)],
    random: [],
    salad: [],
    repeated: [],
  };
  const { levels } = calibrateFluency([of(6, 2, 1, 3), of(6, 2, 1, 3), of(6, 2)], bad, 5);
  assert.equal(
    levels.map(({ tokens, fine, texts: used }) => [tokens, fine, used]),
    [
      [1, 6, 3],
      [2, 4, 3],
      [4, 3, 2],
    ],
    'half of the texts have no fifth token',
  );
  assert.equal(
    levels.map(({ repetition: most }) => most),
    [0.25, 0.25, 0.3],
  );
  const grade = (tokens: number, nll: number) => fluencyScore({ levels }, { tokens, nll, repetition: 0 });
  const at3 = 4 - (Math.SQRT1_2 - 1 / Math.sqrt(3)) / (Math.SQRT1_2 - 0.5);
  assert.equal([grade(3, at3 - 1e-9), grade(3, at3 + 1e-9)], [2, 1]);
  assert.equal([grade(100, 3), grade(100, 3.01)], [2, 1]);
});

test('real text that errs more than nonsense still has passable at or above fine', () => {
  const bad = Object.fromEntries(CORRUPTIONS.map((kind) => [kind, texts(1)])) as Record<Corruption, CalibrationText[]>;
  const [level] = calibrateFluency(texts(5, 5), bad, 1).levels;
  assert.ok(level!.passable >= level!.fine);
});

test('the recogniser looks once at a text', () => {
  let looks = 0;
  const judge = recogniserJudge(() => {
    looks++;
    return {
      concept: (id) => (id === 'a' ? { grade: 2, spans: [{ start: 0 }] } : undefined),
      topic: (id) => (id === 't' ? { grade: 1, spans: [{ start: 0 }] } : undefined),
    };
  });
  assert.is(judge.concept('text', { id: 'a', label: '' }), 2);
  assert.is(judge.concept('text', { id: 'b', label: '' }), 0);
  assert.is(judge.instruction('text', { id: 'p', text: '', topic: 't' }), 1);
  assert.is(judge.instruction('text', { id: 'p', text: '' }), 0);
  assert.is(looks, 1);
});

test('of a concept whose every mention is denied a text shows 1 at most', () => {
  const look = (text: string) => {
    const spans = [...text.matchAll(/fever/g)].map(({ index }) => ({ start: index }));
    return { concept: () => (spans.length > 0 ? { grade: 2, spans } : undefined), topic: () => undefined };
  };
  const judge = recogniserJudge(look);
  const grade = (text: string) => judge.concept(text, { id: 'fever', label: '' });
  assert.equal([grade('a fever'), grade('no fever'), grade('no fever, then fever'), grade('none')], [2, 1, 2, 0]);
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
