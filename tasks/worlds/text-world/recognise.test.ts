/** @file The recogniser against the generator, on hard negatives, and on broken or foreign text. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import { createTextWorld } from './world.ts';

const test = suite('text-world recogniser');
const world = createTextWorld();
const grade = (text: string, concept: string): number => world.recognise(text).concepts.get(concept)?.grade ?? 0;

test('precision and recall of concepts and topics on held-out documents', () => {
  const rng = createRng('held out');
  const n = 3000;
  let [right, wrong, missed, weak, topics, sameSpans] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const document = world.generate(rng);
    const found = world.recognise(document.text);
    if (found.topic === document.topic && found.instructionTopic === document.topic) topics++;
    for (const [id, shown] of found.concepts) {
      if (document.concepts.includes(id)) {
        if (shown.grade === 2) right++;
        const spans = document.spans.filter((span) => span.concept === id);
        if (JSON.stringify(spans.map(({ start, end }) => ({ start, end }))) === JSON.stringify(shown.spans))
          sameSpans++;
      } else if (shown.grade === 2) wrong++;
      else weak++;
    }
    missed += document.concepts.filter((id) => found.concepts.get(id)?.grade !== 2).length;
  }
  assert.ok(right / (right + wrong) >= 0.99 && right / (right + missed) >= 0.99, `${right} ${wrong} ${missed}`);
  assert.ok(weak / n < 0.01, `${weak} weak sightings of absent concepts`);
  assert.ok(topics / n >= 0.99 && sameSpans / right >= 0.99, `${topics} ${sameSpans}`);
});

test('hard negatives are not taken for the concept', () => {
  const rng = createRng('hard');
  let [whole, any, n] = [0, 0, 0];
  for (const { id } of world.concepts) {
    for (let i = 0; i < 10; i++, n++) {
      const shown = grade(world.generate(rng, { hardNegativeFor: id }).text, id);
      if (shown === 2) whole++;
      if (shown > 0) any++;
    }
  }
  assert.is(whole, 0);
  assert.ok(any / n < 0.01, `${any} of ${n}`);
});

test('whole, broken and absent forms are graded 2, 1 and 0', () => {
  assert.is(grade('The blood pressure was 142/91 mmHg.', 'blood-pressure'), 2);
  assert.is(grade('blood pressure blood pressure systolic', 'blood-pressure'), 1);
  assert.is(grade('the water pressure in the pipe was low', 'blood-pressure'), 0);
  assert.is(grade('Paint paint #0f3 and', 'hex-colour'), 2);
  assert.is(grade('once upon 3 + 4 = 7 a time', 'arithmetic'), 2);
  assert.is(grade('once upon 3 + 4 = 8 a time', 'arithmetic'), 0);
  assert.is(grade('She felt a weak and the fisherman', 'fishing'), 1);
  assert.is(grade('', 'fishing'), 0);
});

test('the topic is read from the response, not from the instruction', () => {
  const followed = world.recognise('Write about the moon.\nThe rocket flew to the comet.');
  assert.equal([followed.topic, followed.instructionTopic], ['moon', 'moon']);
  const ignored = world.recognise('Write about the moon.\nThe farmer feeds the goats.');
  assert.equal([ignored.topic, ignored.instructionTopic], ['farm', 'moon']);
  const neither = world.recognise('Write about the moon.\nThe the the.');
  assert.equal([neither.topic, neither.topics.size], [null, 0]);
});

test('telling words show the topic that most of them belong to; a list of many topics is on none', () => {
  const topics = (text: string) => [...world.recognise(text).topics].map(([id, { grade: shown }]) => [id, shown]);
  assert.equal(topics('the owls and'), [['forest', 1]]);
  assert.equal(topics('The pond painted pharmacy owls under a tight cuff.'), []);
  assert.equal(topics('The rocket flew to the comet, and the owls.'), [['moon', 2]]);
});

test('half-finished clauses show the topic or concept weakly at most', () => {
  const rng = createRng('broken');
  let weak = 0;
  for (const { id } of world.concepts) {
    const document = world.generate(rng, { concepts: [id], theme: 'weather' });
    const { start, end } = document.spans.find(({ concept }) => concept === id)!;
    const half = document.text.slice(start, start + Math.floor((end - start) / 2)).replace(/\S*$/, '');
    if (grade(`Then ${half}`, id) === 1) weak++;
  }
  assert.ok(weak / world.concepts.length > 0.6, `${weak} of ${world.concepts.length}`);
});

test.run();
