/** @file The judges of the package: the dataset's own, and bags of words. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dataset, Role, Split } from '../../harness/contract.ts';
import { judgeOn } from '../../harness/testing/task-tools.ts';
import bagOfWords from './bag-of-words.ts';
import datasetJudge from './dataset.ts';

const test = suite('tasks/judges');

const dataset: Dataset = { id: 'words', modality: 'text', fingerprint: '', corpus: async () => [] };
const concept = { id: 'sport', label: 'sport' };
const prompt = { id: 'p', text: 'Write:', topic: 'kayak lake' };

test('dataset: each different text is judged once, and fluency is left to the task', async () => {
  let asked = 0;
  const judge = judgeOn(
    {
      ...dataset,
      judge: {
        description: 'counts',
        concept: (text) => {
          asked++;
          return text.includes('x') ? 2 : 0;
        },
        instruction: () => 1,
      },
    },
    datasetJudge,
  );
  const row = { text: 'x', concept, prompt };
  assert.equal(await judge.rate([row, row]), Array(2).fill({ concept: 2, instruct: 1 }));
  assert.is(asked, 1);
  await judge.rate([row, { ...row, concept: { id: 'other', label: '' } }]);
  assert.is(asked, 2);
  assert.match(await judge.description(), /^counts What a text copies/);
  const echo = { ...row, text: 'Now write an x!', prompt: { ...prompt, text: 'Write an x' } };
  assert.equal(await judge.rate([echo]), [{ concept: 0, instruct: 1 }]);
  assert.match(judgeOn(dataset, datasetJudge).unavailable!, /no judge/);
});

test('bag-of-words: fitted on the labelled responses of any text dataset; without a topic no instruction', async () => {
  const texts: [Role, string][] = [
    ['positive', 'goal match team'],
    ['positive', 'goal crowd'],
    ['negative', 'bank money team'],
    ['hard-negative', 'bank crowd'],
  ];
  const examples = (['train', 'eval'] as Split[]).flatMap((split) =>
    Array.from({ length: 40 }, (_, i) => ({ split, role: texts[i % 4]![0], text: texts[i % 4]![1] })),
  );
  const labelled: Dataset = {
    ...dataset,
    concepts: async () => ({
      concepts: [concept],
      // The instruction, which names the sport in every text, is no part of the response.
      items: examples.map(({ text }, i) => ({ id: `${i}`, text: `goal? ${text}`, responseStart: 6 })),
      examples: examples.map(({ split, role }, item) => ({ concept: 0, item, split, role })),
    }),
  };
  const judge = judgeOn(labelled, bagOfWords);
  const rows = ['the goal of the match', 'a bank', 'a kayak'].map((text) => ({ text, concept, prompt }));
  assert.equal(await judge.rate([...rows, { text: 'goal match', concept, prompt: { id: 'q', text: '' } }]), [
    { concept: 2, instruct: 0 },
    { concept: 0, instruct: 0 },
    { concept: 0, instruct: 1 },
    { concept: 2, instruct: null, reason: 'the prompt names no topic' },
  ]);
  assert.match(judgeOn(dataset, bagOfWords).unavailable!, /no labelled texts/);
});

test.run();
