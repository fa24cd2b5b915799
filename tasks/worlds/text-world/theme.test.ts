/** @file Themes of documents: their share in the grammar, by hand, and that they are told apart. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import type { Concept } from './concepts.ts';
import { compileClauses, sample, zipf } from './grammar.ts';
import { parse } from './parse.ts';
import { createTheme } from './theme.ts';
import { createTextWorld } from './world.ts';

const test = suite('text-world themes');
const world = createTextWorld();

/** A concept with one trait, two asides and one clause. */
function smallConcept(): Concept {
  const spec = {
    id: 'rust',
    label: 'rust',
    description: 'iron that rusts',
    traits: ['rusty'],
    asides: ['in flakes', 'with holes'],
    clauses: ['the<adj> nail broke'],
  };
  const body = compileClauses(spec, 'rust');
  const clause = { kind: 'tag', role: 'concept', id: 'rust', body } as const;
  return { ...spec, domain: 'metal', clinical: false, spec, clause };
}

test('a theme by hand: half of the adjectives are its trait, its asides close clauses', () => {
  const concept = smallConcept();
  const theme = createTheme(concept);
  const clause = theme.clauseOf(concept);
  const probability = (node: typeof clause, text: string): number => Math.exp(parse(node, text)?.logProb ?? -Infinity);
  const close = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 1e-12, `${value}`);
  close(probability(clause, 'the rusty nail broke'), 0.5);
  // The generic adjectives: none is the first of twelve.
  close(probability(clause, 'the nail broke'), 0.5 * zipf(12)[0]!);
  close(probability(concept.clause, 'the nail broke'), zipf(12)[0]!);
  assert.is(parse(concept.clause, 'the rusty nail broke'), null);
  close(probability(theme.firstCloser, ' with holes'), zipf(2)[1]!);
  close(probability(theme.closer, ' with holes'), 0.4 * zipf(2)[1]!);
  // No closer at all: 0.6 of what is left.
  close(probability(theme.closer, ''), 0.6 * 0.6);
  assert.equal([' in flakes', ' of course', ''].map(theme.asideIn), ['in flakes', undefined, undefined]);
  assert.is(theme.clauseOf(concept), clause, 'made once');
});

test('traits and asides are the theme’s own: consonants first, no other clause uses them', () => {
  const rng = createRng('themes');
  const others = new Map(
    [...world.concepts, ...world.topics].map(({ id, clause }) => [
      id,
      Array.from({ length: 200 }, () => ` ${sample(clause, rng).text} `).join('|'),
    ]),
  );
  for (const { id, spec } of world.concepts) {
    assert.ok(spec.traits.length >= 2 && spec.asides.length >= 2, id);
    for (const trait of spec.traits) assert.match(trait, /^[b-df-hj-np-tv-z][a-z]{3,}$/, id);
    for (const word of [...spec.traits, ...spec.asides]) {
      const users = [...others].filter(([other, texts]) => other !== id && texts.includes(` ${word} `));
      assert.equal(users, [], `${id}: ${word}`);
    }
  }
  const all = world.concepts.flatMap(({ spec }) => [...spec.traits, ...spec.asides]);
  assert.is(new Set(all).size, all.length);
});

test('every document shows its theme first, and a recogniser sees it', () => {
  const rng = createRng('shown');
  for (const { id } of world.concepts) {
    const document = world.generate(rng, { theme: id });
    assert.is(document.theme, id);
    assert.is(document.spans[0]!.concept, id);
    const shown = world.recognise(document.text).concepts.get(id)!;
    assert.is(shown.grade, 2);
    assert.equal(shown.spans[0], { start: document.spans[0]!.start, end: document.spans[0]!.end });
  }
  assert.throws(() => world.generate(rng, { theme: 'x' }), /unknown theme 'x'/);
});

test('most clauses of a document show its theme, by a trait, an aside or as a whole', () => {
  const rng = createRng('share');
  const { traits, asides } = world.concepts.find(({ id }) => id === 'prison')!.spec;
  let [clauses, showing] = [0, 0];
  for (let i = 0; i < 300; i++) {
    const { response } = world.generate(rng, { theme: 'prison', clauses: 5 });
    // What joins clauses begins none of them; a comma within a clause counts as a clause more.
    for (const clause of response.split(/[.;,] (?:and )?/)) {
      clauses++;
      const own = traits.some((word) => clause.includes(` ${word} `)) || asides.some((end) => clause.includes(end));
      if (own || world.recognise(clause).concepts.get('prison')?.grade === 2) showing++;
    }
  }
  assert.ok(showing / clauses > 0.6, `${showing} of ${clauses}`);
});

test('broken text does not pass for a clause of a topic or concept', () => {
  const grades = (text: string) => [...world.recognise(text).topics.values()].map(({ grade }) => grade);
  assert.equal(grades('the barred dog likes to dig'), [2]);
  assert.equal(grades('the dog likes to dig'), [2]);
  for (const broken of ['the dog dog likes to dig', 'the zzz dog likes to dig', 'the barred barred dog likes to dig']) {
    assert.not(grades(broken).includes(2), broken);
  }
});

test.run();
