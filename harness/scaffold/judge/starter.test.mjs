/** Test of starter.ts: node --test starter.test.mjs */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tryJudge } from 'saxbench/trial';

const file = new URL('./starter.ts', import.meta.url);
const concept = { id: 'sea', label: 'the sea' };
const prompt = 'Tell me about ships';

test('rates by the words of the concept and of the prompt', async () => {
  const texts = ['Ships sail the sea.', 'About a house.'];
  const options = { words: { sea: ['sea', 'sail', 'wave'] } };
  assert.deepEqual(await tryJudge(file, texts, { concept, prompt, options }), [
    { concept: 2, instruct: 1 },
    { concept: 0, instruct: 1 },
  ]);
});

test('a concept without words gets no rating, and says why', async () => {
  const asked = { concept: { id: 'x', label: '?' }, prompt };
  assert.deepEqual(await tryJudge(file, ['Tell me about ships'], asked), [
    { concept: null, instruct: 2, reason: 'the concept has no words' },
  ]);
});
