/** @file Labelled examples that a context cuts: left out where what they show may be gone, and said. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cutTexts, seenCharacters } from '../activations/cut-texts.ts';
import type { ConceptExample, ConceptSet, Item } from '../contract/data.ts';
import type { LanguageModel } from '../contract.ts';
import { UserError } from '../errors.ts';
import { toyRegistry } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';
import { wholeExamples } from './labelled.ts';

const test = suite('whole examples');

const toy = async () => (await (await toyRegistry().get('subject', 'toy')).load('', { id: 'toy' })) as LanguageModel;

test('what a subject sees of a text', async () => {
  const subject = await toy();
  assert.is(seenCharacters(subject, 'abcdef', 7), undefined);
  assert.is(seenCharacters(subject, 'abcdef', 6), 5);
  assert.is(seenCharacters(subject, 'abcdef', 1), 0);
  // The end token of a cut text is no part of what is seen.
  const closed: LanguageModel = {
    ...subject,
    tokenize: (texts, options) => {
      const batch = subject.tokenize(texts, options);
      batch.ids[batch.length - 1] = 63;
      return batch;
    },
  };
  assert.is(seenCharacters(closed, 'abcdef', 6), 4);
  // Of many texts: a text that just fits, one that does not, short ones.
  assert.equal(cutTexts(subject, ['abcde', 'a', 'abcdef', ''], 6), new Map([['abcdef', 5]]));
  assert.is(cutTexts(subject, ['ab', 'abc'], 6).size, 0);
  assert.is(cutTexts(subject, [], 6).size, 0);
});

/** Items by their text's length; what is seen are the first ten characters. */
const seen = (text: string) => (text.length > 10 ? 10 : undefined);
const item = (id: string, length: number, spans?: Item['spans']): Item => ({
  id,
  text: 'x'.repeat(length),
  ...(spans && { spans }),
});
const example = (
  concept: number,
  place: number,
  split: 'train' | 'eval',
  role: ConceptExample['role'],
): ConceptExample => ({ concept, item: place, split, role });

const span = (start: number, end: number, concept = 'heart') => ({ start, end, concept });

test('examples with unknown evidence go, those with known evidence stay where it is seen', () => {
  const set: ConceptSet = {
    concepts: [
      { id: 'lung', label: 'lungs' },
      { id: 'heart', label: 'hearts' },
    ],
    items: [
      ...[item('short', 10), item('long', 11), item('evidence seen', 20, [span(3, 10)])],
      ...[item('evidence cut', 20, [span(3, 5, 'lung'), span(8, 11)]), item('none', 20, [])],
    ],
    examples: [
      ...[example(1, 0, 'train', 'positive'), example(1, 0, 'train', 'negative')],
      ...[example(1, 0, 'eval', 'positive'), example(1, 0, 'eval', 'negative')],
      ...[example(1, 1, 'train', 'positive'), example(1, 1, 'eval', 'negative')],
      ...[example(1, 2, 'train', 'positive'), example(1, 3, 'train', 'positive')],
      ...[example(1, 4, 'eval', 'negative'), example(1, 4, 'eval', 'hard-negative')],
      // Lungs are left without a negative example for training.
      ...[example(0, 0, 'train', 'positive'), example(0, 1, 'train', 'negative')],
      ...[example(0, 0, 'eval', 'positive'), example(0, 0, 'eval', 'negative')],
    ],
  };
  const { set: whole, notes } = wholeExamples(set, seen, 'toy');
  assert.equal(
    whole.concepts.map(({ id }) => id),
    ['heart'],
  );
  assert.equal(
    whole.examples.map(({ item: place, split, role }) => `${whole.items[place]!.id}: ${split} ${role}`),
    [
      ...['short: train positive', 'short: train negative', 'short: eval positive', 'short: eval negative'],
      ...['evidence seen: train positive', 'none: eval negative'],
    ],
  );
  assert.ok(whole.examples.every(({ concept }) => concept === 0));
  assert.equal(
    whole.items.map(({ id }) => id),
    ['short', 'evidence seen', 'none'],
  );
  assert.is(notes.length, 1);
  assert.match(notes[0]!, /^5 of 14 labelled examples left out, and with them the concepts lung: the context cuts/);
  assert.is(wholeExamples(set, () => undefined, 'toy').set, set, 'nothing cut, nothing changed');
  const refused = () => wholeExamples(set, () => 0, 'toy');
  assert.throws(
    refused,
    (error: Error) => error instanceof UserError && /subject toy: its context cuts/.test(error.message),
  );
});

test('results and console say what was cut', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-cut-'));
  try {
    const subject = (maxLength: number) => ({
      path: join(folder, 'toy-model'),
      sites: ['blocks.0.hook_resid_post'],
      dataset: { id: 'toy-words' },
      activations: { train: 20, test: 10, maxLength },
      concepts: { perClass: 8 },
    });
    const whole = await runToy(folder, { subjects: [subject(16)] });
    assert.is(whole.summary.results[0]!.dataset.notes, undefined);
    const cut = await runToy(folder, { subjects: [subject(12)] });
    assert.equal(cut.summary.failures, []);
    const [training, heldOut, labelled] = cut.summary.results[0]!.dataset.notes!;
    assert.match(training!, /^the context cuts 8 of 20 training texts$/);
    assert.match(heldOut!, /^the context cuts 4 of 10 held-out texts$/);
    assert.match(labelled!, /^16 of 32 labelled examples left out: the context cuts their texts/);
    // Found in the store, they are said again.
    const again = await runToy(folder, { subjects: [subject(12)], seeds: [0, 1, 2] });
    assert.equal(again.summary.results.at(-1)!.dataset.notes, cut.summary.results[0]!.dataset.notes);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
