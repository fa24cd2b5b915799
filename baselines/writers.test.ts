/** @file The controls of judges: what they write, and that no held-out text takes part. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptSet, Item } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import { refusal } from '../harness/testing/failing.ts';
import conceptWord from './concept-word.ts';
import constantText from './constant-text.ts';
import { mostTelling } from './parts/telling-text.ts';
import promptEcho from './prompt-echo.ts';

const test = suite('baselines/writers');
const concept = { id: 'c', label: 'sea bird' };
const prompt = { id: 'p', text: 'Write about ships.\n' };

test('the most telling text is the one of the class with the words that it has alone', () => {
  const texts = ['the gull and the tern', 'the gull', 'the ship and the tern', 'the ship'];
  // gull: (2.5 / 3) / (0.5 / 3) = 5; tern and `and`: 1 each.
  assert.is(mostTelling(texts, [1, 1, 0, 0]), texts[0]);
  assert.is(mostTelling(texts, [0, 0, 1, 1]), texts[2]);
  assert.is(mostTelling(['a gull', 'gulls tern', 'x tern'], [1, 1, 0]), 'a gull', 'tern tells of the other class');
  const late = `${'word '.repeat(30).trim()} gull`;
  assert.is(mostTelling(['gull', late.replaceAll('word', 'gull'), 'ship'], [1, 1, 0]), 'gull', 'the first of equals');
  assert.is(mostTelling(['ship'], [0]), '');
});

test('constant-text: a response of the training examples, the same for every prompt', async () => {
  const texts = ['Q? the gull', 'Q? gull tern auk', 'Q? the ship', 'gull tern auk puffin'];
  const items = texts.map((text, i): Item => ({ id: `${i}`, text, ...(i < 3 ? { responseStart: 2 } : {}) }));
  const set: ConceptSet = {
    concepts: [concept],
    items,
    examples: [
      ...[0, 1].map((item) => ({ concept: 0, item, split: 'train', role: 'positive' }) as const),
      { concept: 0, item: 2, split: 'train', role: 'negative' },
      { concept: 0, item: 3, split: 'eval', role: 'positive' },
    ],
  };
  const labelled = memoryLabelled(set, memoryActivations(items.map(() => [[1]])));
  const { activations } = labelled;
  const context = { options: {}, rng: createRng(0), activations, labelled, site: 's', progress: () => {} };
  const state = await constantText.fit(context);
  assert.equal(state.json, { c: 'gull tern auk' });
  const { write } = constantText.restore(state, { d_in: 1, options: {} });
  assert.is(write!(concept, prompt), 'gull tern auk');
});

test('constant-text: a concept whose training texts say nothing is named, not written as an empty text', async () => {
  for (const [text, role] of [
    ['Q? ', 'positive'],
    ['Q? the gull', 'negative'],
  ] as const) {
    const set: ConceptSet = {
      concepts: [concept],
      items: [{ id: '0', text, responseStart: 2 }],
      examples: [{ concept: 0, item: 0, split: 'train', role }],
    };
    const labelled = memoryLabelled(set, memoryActivations([[[1]]]));
    const context = { options: {}, rng: createRng(0), labelled, site: 's', progress: () => {} };
    const fit = constantText.fit({ ...context, activations: labelled.activations });
    assert.match(await refusal(fit), /constant-text: concept 'c': expected a training text with the concept/);
  }
});

test('concept-word repeats the label; prompt-echo says the label and the prompt', () => {
  const written = (of: typeof conceptWord) =>
    of.restore({ tensors: {} }, { d_in: 1, options: {} }).write!(concept, prompt);
  assert.ok(written(conceptWord).startsWith('sea bird sea bird sea bird '));
  assert.is(written(promptEcho), 'sea bird: Write about ships.');
});

test.run();
