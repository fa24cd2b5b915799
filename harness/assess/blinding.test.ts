/** @file Nothing of what raters get tells the method, the latent or the answer: no field, id, order, length or size. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeImage, squarePng } from '../io/image.ts';
import { createRng } from '../num/rng.ts';
import type { AssessmentExample } from '../schema/assessment-item.generated.ts';
import type { AssessmentKey } from '../schema/assessment-key.generated.ts';
import { drawnQuestions, sealedSet } from '../testing/assessment.ts';
import { PROTOCOL_IDS, type ProtocolId } from './protocols.ts';
import type { Shown } from './questions.ts';
import { setName } from './seal.ts';
import { windowOf } from './window.ts';

const test = suite('assess/blinding');

const METHODS = ['topk', 'neurons', 'random'];
const sets = (protocol: ProtocolId, count: number) =>
  Array.from({ length: count }, (_, seed) => {
    const { items, keyText, itemsText } = sealedSet(protocol, METHODS, 8, seed);
    return { items, itemsText, key: JSON.parse(keyText) as AssessmentKey };
  });

const lengthOf = ({ text }: AssessmentExample) => text!.reduce((sum, { t }) => sum + t.length, 0);
const marked = ({ text }: AssessmentExample) => text!.filter(({ m }) => m !== undefined).length;

/** Largest z score of counts that should all be the same. */
function unevenness(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return Math.max(...counts.map((count) => Math.abs(count - mean) / Math.sqrt(mean * (1 - 1 / counts.length))));
}

for (const protocol of PROTOCOL_IDS) {
  test(`${protocol}: items have the fields that raters need and no others; ids say nothing`, () => {
    const [{ items, itemsText, key }] = sets(protocol, 1) as [ReturnType<typeof sets>[0]];
    for (const item of items) {
      const fields = Object.keys(item).filter((name) => name !== 'note' && name !== 'references');
      assert.equal(fields.sort(), ['groups', 'id']);
      for (const example of [...(item.references ?? []), ...item.groups.flat()])
        assert.equal(Object.keys(example), ['text']);
    }
    for (const method of METHODS) assert.not.ok(itemsText.includes(method), method);
    const [header, ...lines] = itemsText.trimEnd().split('\n');
    assert.is(setName(lines), JSON.parse(header!).set);
    const ids = key.items.map(({ id }) => id);
    assert.is(new Set(ids).size, ids.length);
    const notes = key.items.filter((_, i) => items[i]!.note !== undefined);
    assert.ok(notes.every(({ kind }) => kind === 'check') && notes.length >= 4);
  });
}

test('the same seed gives the same files, another one other questions', () => {
  const [one, again, other] = [0, 0, 1].map((seed) => sealedSet('intruder', METHODS, 8, seed));
  assert.is(one!.itemsText, again!.itemsText);
  assert.is(one!.keyText, again!.keyText);
  assert.is.not(one!.header.set, other!.header.set);
});

test('every text has as many tokens, whatever it is', () => {
  for (const { items } of sets('intruder', 2)) {
    const lengths = new Set(items.flatMap(({ groups }) => groups.flat().map(lengthOf)));
    assert.equal([...lengths], [23]);
  }
});

test('right answers stand at every place alike, and yes as often as no', () => {
  const golds = (protocol: ProtocolId, count: number) =>
    sets(protocol, count).flatMap(({ key }) =>
      key.items.filter(({ kind }) => kind === 'question').map(({ gold }) => gold),
    );
  const intruders = golds('intruder', 20);
  assert.ok(unevenness(['1', '2', '3', '4', '5'].map((at) => intruders.filter((gold) => gold === at).length)) < 4);
  for (const protocol of ['detection', 'fuzzing'] as const) {
    const found = golds(protocol, 3);
    const yes = found.filter((gold) => gold === 'yes').length;
    assert.ok(Math.abs(yes - found.length / 2) <= 9, `${yes} of ${found.length}`);
  }
});

test('neither the order nor the id goes with the method', () => {
  const places = METHODS.map(() => ({ early: 0, low: 0, n: 0 }));
  for (const { key } of sets('intruder', 20)) {
    const asked = key.items.filter(({ kind }) => kind === 'question');
    asked.forEach(({ id, latents }, i) => {
      const own = places[key.latents[latents[0]!]!.method]!;
      own.n++;
      if (i < asked.length / 2) own.early++;
      if (id < 'd') own.low++;
    });
  }
  for (const { early, low, n } of places) {
    for (const half of [early, low]) assert.ok(Math.abs(half - n / 2) < 4 * Math.sqrt(n / 4), `${half} of ${n}`);
  }
});

test('the intruder is marked as much as the others, wrong marks are as many as right ones', () => {
  const counts = { intruder: [0, 0], other: [0, 0], yes: [0, 0], no: [0, 0] };
  const add = (kind: keyof typeof counts, example: AssessmentExample) => {
    counts[kind][0]! += marked(example);
    counts[kind][1]!++;
  };
  for (const { items, key } of sets('intruder', 10)) {
    key.items.forEach(({ kind, gold }, i) => {
      if (kind !== 'question') return;
      for (const [g, [example]] of items[i]!.groups.entries())
        add(String(g + 1) === gold ? 'intruder' : 'other', example!);
    });
  }
  for (const { items, key } of sets('fuzzing', 5)) {
    key.items.forEach(({ kind, gold }, i) => {
      if (kind === 'question') add(gold as 'yes' | 'no', items[i]!.groups[0]![0]!);
    });
  }
  const mean = (kind: keyof typeof counts) => counts[kind][0]! / counts[kind][1]!;
  assert.ok(Math.abs(mean('intruder') - mean('other')) < 0.2, `${mean('intruder')}, ${mean('other')}`);
  assert.ok(Math.abs(mean('yes') - mean('no')) < 0.25, `${mean('yes')}, ${mean('no')}`);
});

test('right marks are the darkest at the middle no more often than wrong ones, and blanks take no mark away', () => {
  const middle = { yes: [0, 0], no: [0, 0] };
  for (const { items, key } of sets('fuzzing', 5)) {
    key.items.forEach(({ kind, gold }, i) => {
      if (kind !== 'question') return;
      let at = 0;
      let found = 0;
      for (const { t, m } of items[i]!.groups[0]![0]!.text!) {
        if (m === 3 && at >= 9 && at <= 13) found = 1;
        at += t.length;
      }
      middle[gold as 'yes' | 'no'][0]! += found;
      middle[gold as 'yes' | 'no'][1]!++;
    });
  }
  const share = ([found, n]: number[]) => found! / n!;
  assert.ok(Math.abs(share(middle.yes) - share(middle.no)) < 0.25, JSON.stringify(middle));
  const pieces = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? '\n' : ` w${i}`));
  const values = Float32Array.from(pieces, (_, i) => (i < 4 ? 4 - i : 0));
  for (const marks of ['own', 'wrong'] as const) {
    for (let seed = 0; seed < 5; seed++) {
      const window = { length: 12, threshold: 0, marks, peak: 'middle' } as const;
      assert.is(marked({ text: windowOf({ pieces, values }, window, createRng(seed)) }), 2, `${marks} ${seed}`);
    }
  }
});

test('a tenth is asked again, a third of the set later and in another order', () => {
  for (const { key } of sets('intruder', 3)) {
    const questions = key.items.filter(({ kind }) => kind === 'question');
    const repeats = key.items.filter(({ kind }) => kind === 'repeat');
    assert.is(repeats.length, Math.ceil(questions.length / 10));
    for (const repeat of repeats) {
      const first = key.items.findIndex(({ id }) => id === repeat.of);
      assert.ok(key.items.indexOf(repeat) - first >= questions.length / 3);
      const own = key.items[first]!;
      assert.is(repeat.order![Number(repeat.gold) - 1], own.order![Number(own.gold) - 1]);
    }
  }
});

test('no question shows what another asks', () => {
  const latentOf = ({ method, latent }: Shown) => `${method} ${latent}`;
  const itemOf = (one: Shown) => `${latentOf(one)} ${one.item}`;
  for (const protocol of PROTOCOL_IDS) {
    const { asked, drawn } = drawnQuestions(protocol, METHODS, 8, createRng(1));
    const known = new Set(asked.map((own) => `${own.method} ${own.latent}`));
    const seen = drawn.map(({ references, groups }) => new Set([...references, ...groups.flat()].map(itemOf)));
    for (const [i, { groups, gold }] of drawn.entries()) {
      // What the answer is about: the intruder, the one item in question, all that is compared or named.
      const about = typeof gold === 'number' && protocol === 'intruder' ? groups[gold]! : groups.flat();
      if (protocol === 'intruder' || (protocol === 'detection' && gold === 'no'))
        for (const one of about)
          assert.not.ok(known.has(latentOf(one)), `${protocol}: of a latent that is asked about`);
      else
        for (const one of about)
          assert.not.ok(
            seen.some((other, j) => j !== i && other.has(itemOf(one))),
            protocol,
          );
    }
  }
});

test('images of any size become as large as all others', async () => {
  const image = (width: number, height: number) => ({
    width,
    height,
    data: new Uint8Array(3 * width * height).fill(7),
  });
  for (const [width, height] of [
    [32, 32],
    [200, 120],
    [7, 90],
  ] as const) {
    const { data: _, ...size } = await decodeImage(await squarePng(image(width, height), 96), 'test');
    assert.equal(size, { width: 96, height: 96 });
  }
});

test.run();
