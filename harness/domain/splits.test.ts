/** @file The split of a domain: groups and copies whole, every concept on both sides, the order of rows without effect. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../num/rng.ts';
import { countLabels, prevalenceOf, tooSmall } from './counts.ts';
import { type Domain, type DomainExample, LABEL } from './domain.ts';
import { contentKey, splitDomain } from './splits.ts';

const test = suite('domain/splits');

const domain = (examples: Partial<DomainExample>[], labels: number[][] = []): Domain => ({
  ...{ folder: '', file: '', modality: 'text', settings: { texts: 'private', covariates: [], ignore: [] } },
  ...{ covariates: [], fingerprint: '' },
  examples: examples.map((each, i) => ({ id: `e${i}`, text: `text ${i}`, covariates: {}, ...each })),
  concepts: labels.map((_, c) => ({ id: `c${c}`, name: `c${c}`, synonyms: [] })),
  labels: labels.map((own) => Int8Array.from(own)),
});

/** 400 examples of 150 groups with concepts of 50 %, 10 % and 2 %, of which a third is unknown. */
const rng = createRng('domain split test');
const groups = Array.from({ length: 400 }, () => `g${rng.int(150)}`);
const labels = [0.5, 0.1, 0.02].map((share) =>
  groups.map(() => (rng.uniform() < 1 / 3 ? LABEL.unknown : rng.uniform() < share ? LABEL.positive : LABEL.negative)),
);
const large = domain(
  groups.map((group) => ({ group })),
  labels,
);

test('no group is on both sides; shares of examples and of every class are those asked for', () => {
  const { partOf, leftOut } = splitDomain(large, 0, 0.4);
  assert.is(leftOut, 0);
  const sides = new Map<string, Set<string>>();
  for (const [i, group] of groups.entries()) sides.set(group, (sides.get(group) ?? new Set()).add(partOf[i]!));
  assert.ok([...sides.values()].every(({ size }) => size === 1));
  const share = partOf.filter((part) => part === 'test').length / 400;
  assert.ok(Math.abs(share - 0.4) < 0.05, `${share}`);
  for (const counts of countLabels(large, { partOf })) {
    for (const kind of ['positives', 'negatives'] as const) {
      const gap = Math.abs(counts.test[kind] - 0.4 * counts.all[kind]);
      assert.ok(gap <= Math.max(2, 0.1 * counts.all[kind]), `${kind} ${counts.test[kind]} of ${counts.all[kind]}`);
    }
    assert.is(tooSmall(counts), undefined);
    assert.is(prevalenceOf(counts).labelled + counts.unknown, 400);
  }
});

test('the order of rows changes nothing; another seed does', () => {
  const order = createRng(1).shuffle(groups.map((_, i) => i));
  const mixed: Domain = {
    ...large,
    examples: order.map((i) => large.examples[i]!),
    labels: large.labels.map((own) => Int8Array.from(order, (i) => own[i]!)),
  };
  const plain = splitDomain(large, 0, 0.4).partOf;
  assert.equal(
    splitDomain(mixed, 0, 0.4).partOf,
    order.map((i) => plain[i]),
  );
  assert.not.equal(splitDomain(large, 1, 0.4).partOf, plain);
});

test('copies of a text, however spelt, are one unit; a declared split stays, less training copies of tests', () => {
  assert.is(contentKey({ id: '', covariates: {}, text: '  The Gull—flew. ' }), 'the gull flew');
  assert.is.not(contentKey({ id: '', covariates: {}, text: '😀' }), contentKey({ id: '', covariates: {}, text: '😁' }));
  const { partOf, leftOut } = splitDomain(
    domain([
      { text: 'The gull flew.', split: 'train' },
      { text: 'the  gull flew', split: 'test' },
      { text: 'a ship', split: 'train', group: 'g' },
      { text: 'fog', group: 'g' },
      { text: 'THE GULL FLEW' },
    ]),
    0,
    0.4,
  );
  assert.equal(partOf, [undefined, 'test', 'train', 'train', 'test']);
  assert.is(leftOut, 1);
});

test('an example that is only a hard negative tests; a concept of one group is too small, and says of what', () => {
  const one = domain(
    [{}, {}, { group: 'p' }, { group: 'p' }, { group: 'p' }, { group: 'p' }, {}, {}, {}, {}],
    [[2, 2, 1, 1, 1, 1, 0, 0, 0, 0]],
  );
  const split = splitDomain(one, 0, 0.4);
  assert.equal(split.partOf.slice(0, 2), ['test', 'test']);
  const [counts] = countLabels(one, split);
  assert.match(tooSmall(counts!)!, /^0 positives in the (train|test) part, needs 2$/);
  assert.equal(prevalenceOf(counts!), { positives: 4, labelled: 10 });
});

test.run();
