/** @file The text world as a whole: exact probabilities, spans, forced choices, and its size. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import { sharedWords, wordPattern } from './generate.ts';
import { polysemes } from './lexicon/polysemes.ts';
import { createTextWorld } from './world.ts';

const test = suite('text-world');
const world = createTextWorld();

test('has the concepts, domains and shared words the benchmark asks for', () => {
  const clinical = world.concepts.filter((concept) => concept.clinical);
  assert.ok(world.concepts.length >= 48 && clinical.length >= 10);
  assert.ok(new Set(world.concepts.map((concept) => concept.domain)).size >= 8);
  const ids = new Set(world.concepts.map((concept) => concept.id));
  assert.is(ids.size, world.concepts.length);
  for (const [word, owners] of Object.entries(polysemes)) {
    assert.ok(owners.length >= 2, word);
    for (const owner of owners) assert.ok(ids.has(owner), `${word}: ${owner}`);
  }
});

test('parsing inverts generation: one derivation, the same probability, the same spans', () => {
  const rng = createRng(11);
  for (let i = 0; i < 600; i++) {
    const document = world.generate(rng);
    const parsed = world.parse(document.text)!;
    assert.is(parsed.derivations, 1, document.text);
    assert.ok(Math.abs(parsed.logProb - document.logProb) < 1e-9);
    const spans = parsed.tags.filter((tag) => tag.role === 'concept');
    assert.equal(
      spans.map(({ start, end, id }) => ({ start, end, concept: id })),
      document.spans,
    );
    const { instruction, frame, topic, concepts } = document.entropyParts;
    assert.ok(Math.abs(instruction + frame + topic + concepts + document.logProb) < 1e-9);
    assert.is(document.text, `${document.instruction}\n${document.response}`);
  }
});

test('forced documents have the probability of the default distribution', () => {
  const rng = createRng(12);
  for (const concept of world.concepts.filter(({ id }) => id !== 'json')) {
    const document = world.generate(rng, { concepts: [concept.id, 'date'], topic: 'moon', avoid: ['json'] });
    assert.ok(Math.abs(world.logProb(document.text) - document.logProb) < 1e-9);
    assert.is(document.topic, 'moon');
    assert.ok(document.concepts.includes(concept.id) && document.concepts.includes('date'));
    assert.not(document.concepts.includes('json'));
  }
});

test('an asked number of clauses is kept; one that the world never draws has probability zero', () => {
  const rng = createRng(19);
  const usual = world.generate(rng, { clauses: 5 });
  assert.ok(Math.abs(world.logProb(usual.text) - usual.logProb) < 1e-9);
  const long = world.generate(rng, { clauses: 9, concepts: ['blood-pressure'] });
  assert.is(long.logProb, Number.NEGATIVE_INFINITY);
  assert.is(world.logProb(long.text), Number.NEGATIVE_INFINITY);
  assert.throws(() => world.generate(rng, { clauses: 1, concepts: ['blood-pressure'] }), /at least 2 clauses, got 1/);
});

test('the mean of -log p is the exact entropy', () => {
  const rng = createRng(13);
  const n = 6000;
  const values = Array.from({ length: n }, () => -world.generate(rng).logProb);
  const mean = values.reduce((sum, v) => sum + v, 0) / n;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n);
  assert.ok(Math.abs(mean - world.entropyPerDocument) < (4 * deviation) / Math.sqrt(n), `${mean}`);
});

test('texts outside the world have probability zero', () => {
  const { text } = world.generate(createRng(14));
  for (const broken of ['', '\n', text.slice(0, -1), `${text} `, text.replace('\n', ' '), text.toLowerCase()]) {
    assert.is(world.logProb(broken), Number.NEGATIVE_INFINITY, JSON.stringify(broken));
  }
});

test('hard negatives use the word in the other sense', () => {
  const rng = createRng(15);
  for (const { id } of world.concepts) {
    const words = sharedWords(id).map(({ word }) => wordPattern(word));
    for (let i = 0; i < 5; i++) {
      const document = world.generate(rng, { hardNegativeFor: id, hardNegativeTheme: i % 2 === 0 });
      assert.not(document.concepts.includes(id));
      if (words.length > 0)
        assert.ok(
          words.some((word) => word.test(document.response)),
          `${id}: ${document.text}`,
        );
    }
  }
});

test('the same seed gives the same documents, and a mistaken request is refused', () => {
  const draw = (seed: number): string[] => {
    const rng = createRng(seed);
    return Array.from({ length: 20 }, () => world.generate(rng).text);
  };
  assert.equal(draw(1), draw(1));
  assert.not.equal(draw(1), draw(2));
  assert.throws(() => world.generate(createRng(1), { concepts: ['blood'] }), /unknown concept 'blood'/);
  assert.throws(
    () => world.generate(createRng(1), { theme: 'river', hardNegativeFor: 'river' }),
    /'river' is asked for and/,
  );
  assert.throws(() => world.generate(createRng(1), { concepts: ['soup'], avoid: ['soup'] }), /'soup' is asked for and/);
  assert.throws(() => world.generate(createRng(1), { topic: 'x' }), /unknown topic 'x'/);
  assert.throws(() => world.generate(createRng(1), { concepts: ['date', 'json', 'url', 'soup'] }), /at most 3/);
});

test.run();
