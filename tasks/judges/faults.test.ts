/** @file The programmatic judge on texts that nobody should be able to earn a mark with, on tiny-lm-planted in the text world. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dataset, LanguageModel, TaskJudge } from '../../harness/contract.ts';
import { packageRoot } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { judgeOn } from '../../harness/testing/task-tools.ts';
import llama from '../../models/subjects/llama.ts';
import textWorld from '../datasets/text-world.ts';
import { fluencyScale } from '../steering/calibration.ts';
import { ratingsOf } from '../steering/ratings.ts';
import { cutText, promptIds, textLikelihoods } from '../steering/texts.ts';
import datasetJudge from './dataset.ts';
import { type FluencyScale, fluencyScore } from './parts/fluency.ts';

const test = suite('tasks/judges/faults');

const CONCEPT = { id: 'blood-pressure', label: 'blood pressure' };
const PROMPT = { id: 'p', text: 'Write about the school.\n', topic: 'school' };
const READING = 'The blood pressure was 113/71 mmHg at last.';
const LESSON = 'In fact the teacher explains history after all.';

let lm: LanguageModel;
let dataset: Dataset;
let judge: TaskJudge;
let scale: FluencyScale;
test.before(async () => {
  await initBackend();
  lm = (await llama.load(join(packageRoot, 'models/pretrained/tiny-lm-planted'), {
    id: 'tiny-lm-planted',
  })) as LanguageModel;
  dataset = await textWorld.open({ train: 4, eval: 4 }, { seed: 0, baseDir: '' });
  judge = judgeOn(dataset, datasetJudge);
  scale = await fluencyScale(lm, await dataset.corpus('test', 80), { texts: 80, maxNewTokens: 32 });
});

async function ratings(text: string) {
  const ids = lm.tokenizer.encode(text).ids.filter((id) => !lm.tokenizer.specialIds.has(id));
  const [likelihood] = await textLikelihoods(lm, [{ prompt: promptIds(lm, PROMPT.text), ids }]);
  const [rating] = await judge.rate([{ text, concept: CONCEPT, prompt: PROMPT }]);
  return ratingsOf(rating!, fluencyScore(scale, likelihood!));
}

test('a good text gets the top mark', async () => {
  const { overall } = await ratings(
    'In fact the teacher explains Latin while the cuff inflates. Perhaps the blood pressure was 113/71 mmHg at last.',
  );
  assert.is(overall, 2);
});

test('a sentence said twice is repetition, right away or after another', async () => {
  const said = `${LESSON} ${READING}`;
  for (const text of [`${said} ${said}`, `${LESSON} ${READING} ${LESSON}`]) assert.is((await ratings(text)).fluency, 0);
});

test('word salad gets 0', async () => {
  for (const text of [
    'hypertensive hypertensive school learns',
    'school hypertensive teacher throbbing learns pupil',
  ]) {
    const { fluency, overall } = await ratings(text);
    assert.equal([fluency, overall], [0, 0], text);
  }
});

test('an echo of the prompt does not follow it, with or without the concept', async () => {
  for (const text of [
    'Write about the school.',
    'Write about the school. hypertensive',
    `write about the school. ${READING}`,
  ]) {
    const { instruct, overall } = await ratings(text);
    assert.equal([instruct, overall], [0, 0], text);
  }
});

test('words of many topics in a row keep to none, even with the concept behind them', async () => {
  const { concept, instruct, overall } = await ratings('The pupil pond painted pharmacy owls under a tight cuff.');
  assert.equal([concept, instruct, overall], [2, 0, 0]);
});

test('the word of the concept alone gets 0; a denied mention shows it weakly', async () => {
  assert.is((await ratings('blood pressure blood pressure blood pressure')).overall, 0);
  assert.is((await ratings('It is not true that the blood pressure was 113/71 mmHg.')).concept, 1);
  assert.is((await ratings('Perhaps the blood pressure was 113/71 mmHg.')).concept, 2);
});

test('fluency does not depend on length: texts that did not calibrate get the top mark as often when cut', async () => {
  const texts = (await dataset.corpus('test', 200)).slice(80);
  for (const tokens of [4, 6, 8, 16]) {
    const cut = texts.map(({ text, responseStart }) => cutText(lm, text!, responseStart!, tokens));
    const scores = (await textLikelihoods(lm, cut)).map((likelihood) => fluencyScore(scale, likelihood));
    const top = scores.filter((score) => score === 2).length / scores.length;
    assert.ok(top > 0.85 && top <= 1, `${tokens} tokens: ${top}`);
  }
});

test.run();
