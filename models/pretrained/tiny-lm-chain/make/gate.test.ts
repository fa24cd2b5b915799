/** @file The gate on models that are known: one that follows the patched state, one that looks for the tag only, one that writes one thing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../../../harness/kit/index.ts';
import { createChains } from '../../../../tasks/worlds/text-world/chain.ts';
import { readContinuation } from '../../../../tasks/worlds/text-world/chain-posterior.ts';
import { tokenCounter } from '../../../../tasks/worlds/text-world/token-count.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { tagOf } from './documents.ts';
import { bestSite, type Continue, gateCases, gatePosteriors, gateRatio, type Patch, someCases } from './gate.ts';

const test = suite('tiny-lm-chain gate');
const world = createTextWorld();
const chains = createChains(world.concepts.slice(0, 4), world.topics);
const lengthOf = tokenCounter();
const cases = gateCases(world, chains, createRng('gate'), 10, { shared: 16, lengthOf });

/** A toy model: goes on with two clauses that stay with the theme of a place. */
const toy =
  (themeOf: (text: string, row: number, patch?: Patch) => number): Continue =>
  async (texts, patch) =>
    texts.map((text, row) => {
      const theme = chains.concepts[themeOf(text, row, patch)]!.id;
      const options = { topic: cases[row]!.topic, theme, clauses: 3, stay: 1 };
      const document = chains.draw(createRng(row), options);
      return document.text.slice(document.clauses[0]!.end);
    });

const taggedPlace = (text: string): number => chains.concepts.findIndex(({ id }) => text.endsWith(tagOf(id)));
const otherThan = (theme: number): number => (theme + 1) % chains.concepts.length;

test('documents of a case differ in what shows their theme, end alike, and the end tells nothing', () => {
  assert.equal(cases, gateCases(world, chains, createRng('gate'), 10, { shared: 16, lengthOf }));
  for (const { topic, theme, recipient, donor, shared, tokens } of cases) {
    assert.ok(recipient.endsWith(shared) && donor.endsWith(shared));
    assert.ok(tokens >= 16);
    assert.is(tokens, lengthOf(shared));
    for (const text of [recipient, donor]) {
      const neutral = readContinuation(chains, `${text}.`, text.length - shared.length, { topic });
      assert.is(neutral.skipped, 0, text);
      for (const share of neutral.shares) assert.ok(Math.abs(share - 1 / 4) < 1e-12, text);
    }
    const id = chains.concepts[theme]!.id;
    const looked = world.look(donor.slice(0, donor.length - shared.length)).concept(id);
    assert.is(looked?.grade, 2, donor);
  }
});

test('without a shared end as much is patched as both responses have', () => {
  for (const { recipient, donor, shared, tokens } of gateCases(world, chains, createRng('whole'), 10, {
    shared: 0,
    lengthOf,
  })) {
    assert.is(shared, '');
    const [a, b] = [recipient, donor].map((text) => lengthOf(text.slice(text.indexOf('\n') + 1)));
    assert.ok(Math.abs(tokens - Math.min(a!, b!)) <= 1);
    assert.ok(/[a-z0-9)]$/.test(recipient));
  }
});

test('a model that follows the state has 1, one that looks for the tag has 0, one that writes one thing none', async () => {
  const follows = toy((text, row, patch) => {
    const { theme, donor } = cases[row]!;
    if (patch?.site === 'state') return theme;
    return taggedPlace(text) >= 0 ? taggedPlace(text) : text === donor ? theme : otherThan(theme);
  });
  const sites = ['elsewhere', 'state'];
  const all = await gatePosteriors(chains, cases, sites, follows);
  assert.is(gateRatio(all, all.patched.get('state')!)?.value, 1);
  assert.is(gateRatio(all, all.patched.get('elsewhere')!)?.value, 0);
  assert.is(bestSite(all), 'state');
  assert.ok(Math.min(...all.tagged) > Math.max(...all.clean));
  const half = someCases(all, 0, 5);
  assert.is(half.clean.length, 5);
  assert.is(gateRatio(half, half.patched.get('state')!)?.n, 5);

  const copies = await gatePosteriors(
    chains,
    cases,
    sites,
    toy((text, row) => (taggedPlace(text) >= 0 ? taggedPlace(text) : otherThan(cases[row]!.theme))),
  );
  assert.is(gateRatio(copies, copies.patched.get('state')!)?.value, 0);

  const constant = await gatePosteriors(
    chains,
    cases,
    sites,
    toy((_, row) => otherThan(cases[row]!.theme)),
  );
  assert.is(gateRatio(constant, constant.patched.get('state')!), null);
});

test.run();
