/** @file Chains of themes: switches as often as they are said to be, clauses of their theme's grammar, the same from the same seed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import { CHAIN_CLAUSES, createChains, STAY } from './chain.ts';
import { lowerSentences } from './document.ts';
import { parse } from './parse.ts';
import { createTextWorld } from './world.ts';

const test = suite('text-world chains');
const world = createTextWorld();
const chains = createChains(world.concepts, world.topics);

test('the same seed draws the same chain; what is asked for is drawn', () => {
  assert.equal(chains.draw(createRng(3)), chains.draw(createRng(3)));
  assert.is.not(chains.draw(createRng(3)).text, chains.draw(createRng(4)).text);
  const { topic, clauses } = chains.draw(createRng(5), { clauses: 9, theme: 'soup', topic: 'moon', stay: 1 });
  assert.is(topic, 'moon');
  assert.equal(
    clauses.map(({ theme }) => theme),
    Array(9).fill('soup'),
  );
  assert.throws(() => chains.draw(createRng(5), { theme: 'tea' }), /unknown theme 'tea'/);
  assert.throws(() => chains.draw(createRng(5), { topic: 'tea' }), /unknown topic 'tea'/);
});

test('clauses cover the response and are of the grammar of their theme and place', () => {
  const rng = createRng('places');
  for (let i = 0; i < 40; i++) {
    const { text, topic, clauses } = chains.draw(rng, { stay: 0.5 });
    const plain = lowerSentences(text);
    assert.is(clauses[0]!.start, text.indexOf('\n') + 1);
    assert.is(clauses.at(-1)!.end, text.length - 1);
    assert.is(text.at(-1), '.');
    clauses.forEach(({ start, end, theme }, c) => {
      const before = clauses[c - 1];
      if (before) assert.is(before.end, start);
      const place = !before ? 'first' : before.theme === theme ? 'goes-on' : 'begins';
      assert.ok(parse(chains.clause(topic, theme, place), plain.slice(start, end)), plain.slice(start, end));
    });
  }
});

test('a chain stays with its theme as often as it is said to, and takes all others alike', () => {
  const few = createChains(world.concepts.slice(0, 4), world.topics);
  const rng = createRng('switches');
  let [steps, stayed] = [0, 0];
  const counts = new Map<number, number>();
  const successors = new Map<string, number>();
  for (let i = 0; i < 3000; i++) {
    const { clauses } = few.draw(rng);
    counts.set(clauses.length, (counts.get(clauses.length) ?? 0) + 1);
    for (const [c, { theme }] of clauses.entries()) {
      if (c === 0) continue;
      steps++;
      const { theme: before } = clauses[c - 1]!;
      if (before === theme) stayed++;
      else successors.set(`${before} ${theme}`, (successors.get(`${before} ${theme}`) ?? 0) + 1);
    }
  }
  assert.ok(Math.abs(stayed / steps - STAY) < 4 * Math.sqrt((STAY * (1 - STAY)) / steps), `${stayed / steps}`);
  assert.is(successors.size, 12);
  const mean = (steps - stayed) / 12;
  for (const count of successors.values())
    assert.ok(Math.abs(count - mean) < 4.5 * Math.sqrt(mean), `${count} of ${mean}`);
  const [least, most] = CHAIN_CLAUSES;
  assert.equal(
    [...counts.keys()].sort(),
    Array.from({ length: most - least + 1 }, (_, i) => least + i),
  );
});

test.run();
