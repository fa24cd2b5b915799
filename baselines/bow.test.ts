import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptExample, ConceptSet, Item } from '../harness/contract.ts';
import { countWords, createRng } from '../harness/kit/index.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import { refusal } from '../harness/testing/failing.ts';
import bow from './bow.ts';

const test = suite('baselines/bow');

async function fit(set: ConceptSet, c = 100) {
  const activations = memoryActivations(set.items.map(() => [[0]]));
  const labelled = memoryLabelled(set, activations);
  const state = await bow.fit({
    options: { c },
    rng: createRng(0),
    activations,
    labelled,
    site: 's',
    progress: () => {},
  });
  return { state, method: bow.restore(state, { d_in: 1, options: { c } }) };
}

const train = (texts: [text: string, positive: boolean][]): ConceptSet => ({
  concepts: [{ id: 'fever', label: 'fever' }],
  items: texts.map(([text], i): Item => ({ id: `i${i}`, text })),
  examples: texts.map(
    ([, positive], item): ConceptExample => ({
      concept: 0,
      item,
      split: 'train',
      role: positive ? 'positive' : 'negative',
    }),
  ),
});

test('words as CountVectorizer finds them', () => {
  assert.equal(
    [...countWords("It's 38.5 °C: Fièvre, fièvre_haute! a I 発熱 x2")],
    [
      ['it', 1],
      ['38', 1],
      ['fièvre', 1],
      ['fièvre_haute', 1],
      ['発熱', 1],
      ['x2', 1],
    ],
  );
});

test('two words and two texts: the weights solve the penalised problem', async () => {
  // One text a class with one word each: by symmetry w, −w and no intercept, with w = C·σ(−w).
  const { method } = await fit(
    train([
      ['fever', true],
      ['broth', false],
    ]),
    1,
  );
  const score = (text: string) => method.detector!({ id: 'fever', label: '' })!.scoreItem!({ id: '', text });
  const w = score('fever');
  assert.ok(Math.abs(w - 1 / (1 + Math.exp(w))) < 1e-6, `${w}`);
  assert.ok(Math.abs(score('broth') + w) < 1e-6);
  assert.ok(Math.abs(score('fever fever unknown') - 2 * w) < 1e-6);
  assert.ok(Math.abs(score('')) < 1e-6);
});

test('a missing text and a concept without positives are errors that name them', async () => {
  const hostile: [ConceptSet, RegExp][] = [
    [
      {
        ...train([
          ['a', true],
          ['b', false],
        ]),
        items: [{ id: 'x' }, { id: 'y' }],
      },
      /item 'x': expected a text/,
    ],
    [
      train([
        ['aa', false],
        ['bb', false],
      ]),
      /concept 'fever'.*0 positives and 2 negatives/,
    ],
  ];
  for (const [set, message] of hostile) {
    assert.match(await refusal(fit(set)), message);
  }
});

test.run();
