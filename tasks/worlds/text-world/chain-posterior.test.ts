/** @file Posteriors of chains against every sequence of themes, one by one, and on texts that models may write. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../harness/kit/index.ts';
import { CHAIN_CLAUSES, type ChainDocument, type ChainPlace, createChains, STAY } from './chain.ts';
import { readContinuation, readDocument } from './chain-posterior.ts';
import { addCapitals, lowerSentences } from './document.ts';
import { parse } from './parse.ts';
import { createTextWorld } from './world.ts';

const test = suite('text-world chain posteriors');
const world = createTextWorld();
const concepts = world.concepts.slice(0, 3);
const chains = createChains(concepts, world.topics.slice(0, 2));
const close = (value: number, expected: number, what = '') =>
  assert.ok(Math.abs(value - expected) < 1e-9, `${what} ${value}, expected ${expected}`);

/** All sequences of `length` themes. */
const sequences = (length: number): number[][] =>
  length === 0 ? [[]] : sequences(length - 1).flatMap((head) => concepts.map((_, theme) => [...head, theme]));

/**
 * Probability of a document's clauses from `from` on, with a sequence of themes; the first of them is the theme before where
 * `from` is not 0.
 */
function jointOf(
  { text, topic, clauses }: ChainDocument,
  themes: readonly number[],
  from: number,
  stay: number,
): number {
  const plain = lowerSentences(text);
  let joint = 1 / concepts.length;
  for (let c = from; c < clauses.length; c++) {
    const [before, theme] = from === 0 ? [themes[c - 1], themes[c]!] : [themes[c - from]!, themes[c - from + 1]!];
    const place: ChainPlace = before === undefined ? 'first' : before === theme ? 'goes-on' : 'begins';
    if (before !== undefined) joint *= before === theme ? stay : (1 - stay) / (concepts.length - 1);
    const { start, end } = clauses[c]!;
    joint *= Math.exp(
      parse(chains.clause(topic, concepts[theme]!.id, place), plain.slice(start, end))?.logProb ?? -Infinity,
    );
  }
  return joint;
}

test('a document against all its 3ⁿ chains: its probability, the mean posterior, the posterior at the end', () => {
  const rng = createRng('all chains');
  for (const clauses of [3, 4, 5]) {
    for (const stay of [STAY, 0.3]) {
      const document = chains.draw(rng, { clauses, stay: 0.5 });
      const all = sequences(clauses).map((themes) => ({ themes, joint: jointOf(document, themes, 0, stay) }));
      const total = all.reduce((sum, { joint }) => sum + joint, 0);
      const reading = readDocument(chains, document.text, { topic: document.topic, stay });
      close(reading.logProb, Math.log(total / (CHAIN_CLAUSES[1] - CHAIN_CLAUSES[0] + 1)), document.text);
      assert.is(reading.skipped, 0);
      concepts.forEach((_, theme) => {
        const share = (of: (themes: number[]) => number) =>
          all.reduce((sum, { themes, joint }) => sum + (joint / total) * of(themes), 0);
        close(
          reading.shares[theme]!,
          share((themes) => themes.filter((each) => each === theme).length / clauses),
          'share',
        );
        close(
          reading.last[theme]!,
          share((themes) => (themes.at(-1) === theme ? 1 : 0)),
          'last',
        );
      });
    }
  }
});

test('a continuation against all its chains, whatever stood before and wherever it breaks off', () => {
  const rng = createRng('continuations');
  for (let i = 0; i < 4; i++) {
    const document = chains.draw(rng, { clauses: 5, stay: 0.5 });
    const all = sequences(4).map((themes) => ({ themes, joint: jointOf(document, themes, 2, STAY) }));
    const total = all.reduce((sum, { joint }) => sum + joint, 0);
    const { text, topic, clauses } = document;
    for (const ended of [text, `${text.slice(0, -1)}; the`]) {
      const reading = readContinuation(chains, ended, clauses[1]!.end, { topic });
      close(reading.logProb, Math.log(total));
      concepts.forEach((_, theme) => {
        const share = all.reduce(
          (sum, { themes, joint }) =>
            sum + (joint / total) * (themes.slice(1).filter((each) => each === theme).length / 3),
          0,
        );
        close(reading.shares[theme]!, share);
      });
    }
  }
});

test('clauses outside the grammar tell nothing; broken, empty and foreign texts leave what was known before', () => {
  const { text, topic, clauses } = chains.draw(createRng('broken'), { clauses: 7, theme: concepts[1]!.id, stay: 1 });
  const from = clauses[0]!.end;
  const whole = readContinuation(chains, text, from, { topic });
  assert.is(whole.skipped, 0);
  assert.ok(whole.last[1]! > 0.9, `${whole.last}`);
  const salad = `${text.slice(0, clauses[1]!.end)}; nurse nurse the of${text.slice(clauses[1]!.end)}`;
  const reading = readContinuation(chains, salad, from, { topic });
  assert.is(reading.skipped, 1);
  assert.ok(reading.last[1]! > 0.9);
  const uniform = (posterior: Float64Array, what: string) => {
    for (const share of posterior) close(share, 1 / 3, what);
  };
  for (const nothing of ['', '.', '; nothing of this world', ' – ']) {
    const empty = readContinuation(chains, text.slice(0, from) + nothing, from, { topic });
    uniform(empty.shares, nothing);
    uniform(empty.last, nothing);
  }
  for (const foreign of ['', 'Describe the moon.', text.slice(0, -1), `${text.slice(0, -1)}; word salad.`]) {
    const none = readDocument(chains, foreign, { topic });
    assert.is(none.logProb, -Infinity);
    uniform(none.shares, foreign);
  }
  assert.throws(() => readDocument(chains, text, { topic: 'tea' }), /unknown topic 'tea'/);
});

test('a sentence without its capital is read as with it', () => {
  const { text, topic, clauses } = chains.draw(createRng('capitals'), { clauses: 6 });
  const from = clauses[0]!.end;
  assert.is(addCapitals(lowerSentences(text)), text);
  const lower = text.replace(/\. ([A-Z])/g, (joint) => joint.toLowerCase());
  const [a, b] = [text, lower].map((each) => readContinuation(chains, each, from, { topic }).logProb);
  assert.is(a, b);
});

test.run();
