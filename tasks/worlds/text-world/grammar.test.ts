/** @file Grammar and parser: probabilities by enumeration, entropy, ambiguity, and the pattern search. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import type { Node } from './grammar.ts';
import { choice, compileClauses, entropy, sample, seq, text } from './grammar.ts';
import { parse } from './parse.ts';
import { surfaceFinder } from './pattern.ts';
import { createTextWorld } from './world.ts';

const test = suite('text-world grammar');

/** Every text of a grammar with the log-probability of its derivation. */
function* enumerate(node: Node): Generator<[string, number]> {
  if (node.kind === 'text') yield [node.text, 0];
  else if (node.kind === 'class') for (const c of node.chars) yield [c, -Math.log(node.chars.length)];
  else if (node.kind === 'tag') yield* enumerate(node.body);
  else if (node.kind === 'choice') {
    for (const [i, option] of node.options.entries()) {
      for (const [t, p] of enumerate(option)) yield [t, p + Math.log(node.probs[i]!)];
    }
  } else {
    let all: [string, number][] = [['', 0]];
    for (const part of node.parts) {
      const tails = [...enumerate(part)];
      all = all.flatMap(([t, p]) => tails.map(([u, q]): [string, number] => [t + u, p + q]));
    }
    yield* all;
  }
}

const small = compileClauses(
  { clauses: ['the <size> dog [1-3]', 'a dog'], slots: { size: { uniform: ['old', 'young'] } } },
  'test',
);

test('a hand-computed grammar: probability, entropy and spelling of classes', () => {
  // Two clauses with weights 1 and 2^-0.5; the first has 2 * 3 equally likely texts.
  const first = 1 / (1 + Math.SQRT1_2);
  const found = parse(small, 'the young dog 2')!;
  assert.ok(Math.abs(found.logProb - Math.log(first / 6)) < 1e-12);
  const expected = -first * Math.log(first / 6) - (1 - first) * Math.log(1 - first);
  assert.ok(Math.abs(entropy(small) - expected) < 1e-12);
  assert.is(parse(small, 'the old dog 4'), null);
  assert.is(parse(small, 'the old dog 2 '), null);
  assert.equal([...enumerate(small)].length, 7);
});

test('an ambiguous text has the sum of its derivations', () => {
  const twice = seq(choice([text('a'), text('ab')], [0.25, 0.75]), choice([text('bc'), text('c')], [0.5, 0.5]));
  const found = parse(twice, 'abc')!;
  assert.is(found.derivations, 2);
  assert.ok(Math.abs(Math.exp(found.logProb) - (0.25 * 0.5 + 0.75 * 0.5)) < 1e-12);
});

test('every clause grammar of the world is unambiguous and its probabilities sum to one', () => {
  const world = createTextWorld();
  const rng = createRng(3);
  let enumerated = 0;
  for (const { id, clause } of [...world.concepts, ...world.topics]) {
    if (entropy(clause) < 5.6) {
      const texts = [...enumerate(clause)];
      const total = texts.reduce((sum, [, logProb]) => sum + Math.exp(logProb), 0);
      assert.ok(Math.abs(total - 1) < 1e-9, `${id} sums to ${total}`);
      assert.is(new Set(texts.map(([t]) => t)).size, texts.length, `${id} has a text with two derivations`);
      enumerated++;
    }
    for (let i = 0; i < 50; i++) {
      const drawn = sample(clause, rng);
      const found = parse(clause, drawn.text)!;
      assert.is(found.derivations, 1, drawn.text);
      assert.ok(Math.abs(found.logProb - drawn.logProb) < 1e-9);
    }
  }
  assert.ok(enumerated > 40, `only ${enumerated} grammars were small enough to enumerate`);
});

test('every clause begins with a lower-case letter and has no sentence end inside', () => {
  const world = createTextWorld();
  const rng = createRng(4);
  for (const { id, clause } of [...world.concepts, ...world.topics]) {
    for (let i = 0; i < 100; i++) assert.match(sample(clause, rng).text, /^[a-z](?!.*(\. |\n|\.$)).*$/, id);
  }
});

test('a bad template is refused by name', () => {
  assert.throws(() => compileClauses({ clauses: ['the <nothing>'] }, 'x'), /'x' uses the unknown slot <nothing>/);
  assert.throws(() => compileClauses({ clauses: ['<a>'], slots: { a: ['<b>'], b: ['<a>'] } }, 'x'), /contains itself/);
});

test('the search finds whole words only', () => {
  const text = 'a dog, a dogma, the old dog 3; ha dog';
  const found = surfaceFinder([small])(text).map(({ start, end }) => text.slice(start, end));
  assert.equal(found, ['a dog', 'the old dog 3']);
});

test('where a theme shows, the search takes known traits and generic adjectives only', () => {
  const node = compileClauses({ clauses: ['the<adj> nail'] }, 'test');
  const find = surfaceFinder([node], ['rusty']);
  const found = ['the nail', 'the rusty nail', 'the new nail', 'the odd nail', 'the rusty rusty nail'].map(find);
  assert.equal(
    found.map((places) => places.length),
    [1, 1, 1, 0, 0],
  );
});

test.run();
