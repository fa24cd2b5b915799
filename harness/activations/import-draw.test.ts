/** @file Which imported items serve what: shares, strata, groups, copies, given splits, needs; as properties. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../num/rng.ts';
import { type DrawNeeds, drawItems, type Role } from './import-draw.ts';
import { importGroups } from './import-groups.ts';

const test = suite('import draw');

const ALL: DrawNeeds = { seed: 0, test: Infinity, perClass: () => Infinity };
const ROLES: Role[] = ['corpus train', 'corpus test', 'concepts train', 'concepts eval'];
const distinct = (n: number) => importGroups(Float64Array.from({ length: n }, (_, i) => i));
/** Items sorted by class, as dumps often are. */
const sortedClasses = (n: number, classes: number) =>
  Int32Array.from({ length: n }, (_, i) => Math.floor((i * classes) / n));

test('a class-sorted set: every beginning of every part has all classes in their shares', () => {
  const classOf = sortedClasses(1000, 4);
  const { pools } = drawItems({ n: 1000, classes: 4, classOf, groups: distinct(1000) }, ALL);
  assert.equal(
    ROLES.map((role) => Math.round(pools[role].length / 10)),
    [39, 14, 26, 21],
  );
  for (const role of ['corpus train', 'corpus test'] as const) {
    for (const count of [4, 20, 101]) {
      const counts = [0, 0, 0, 0];
      for (const item of pools[role].slice(0, count)) counts[classOf[item]!]!++;
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 2, `${role} ${count}: ${counts}`);
    }
  }
  assert.is(new Set(ROLES.flatMap((role) => pools[role])).size, 1000);
});

test('the seed decides the draw', () => {
  const items = { n: 500, classes: 2, classOf: sortedClasses(500, 2), groups: distinct(500) };
  const draw = (seed: number) => drawItems(items, { ...ALL, seed });
  assert.equal(draw(3), draw(3));
  assert.not.equal(draw(3), draw(4));
});

test('200,000 labelled rows: concepts and tests get what they need, all the rest is trained on', () => {
  const n = 200_000;
  const { pools } = drawItems(
    { n, classes: 10, classOf: sortedClasses(n, 10), groups: distinct(n) },
    { seed: 0, test: 500, perClass: () => 200 },
  );
  assert.equal(
    ROLES.map((role) => pools[role].length),
    [n - 500 - 4000, 500, 2000, 2000],
  );
});

test('a given split with more test rows than are needed: the others serve nothing', () => {
  const split = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? ('test' as const) : ('train' as const)));
  const items = { n: 100, classes: 0, classOf: new Int32Array(100).fill(-1), groups: distinct(100), split };
  const { pools } = drawItems(items, { ...ALL, test: 10 });
  assert.is(pools['corpus test'].length, 10);
  assert.ok(pools['corpus test'].every((item) => split[item] === 'test'));
  assert.is(pools['corpus train'].length, 50);
  assert.ok(pools['corpus train'].every((item) => split[item] === 'train'));
});

test('a smaller need reserves a part of what a larger one does', () => {
  const items = { n: 3000, classes: 3, classOf: sortedClasses(3000, 3), groups: distinct(3000) };
  const large = drawItems(items, { seed: 1, test: 300, perClass: () => 100 }).pools;
  const small = drawItems(items, { seed: 1, test: 50, perClass: () => 20 }).pools;
  for (const role of ['corpus test', 'concepts eval', 'concepts train'] as const) {
    const wider = new Set(large[role]);
    assert.ok(small[role].length > 0 && small[role].every((item) => wider.has(item)), role);
  }
});

test('copies and groups never lie in two parts; tests and concepts hold one of several copies', () => {
  const rng = createRng(5);
  for (let round = 0; round < 20; round++) {
    const n = 400;
    const hashes = Float64Array.from({ length: n }, () => rng.int(150));
    const names = Array.from({ length: n }, () => (rng.int(3) === 0 ? null : `patient ${rng.int(60)}`));
    const classOf = Int32Array.from({ length: n }, () => rng.int(4) - 1);
    const split =
      round % 2 === 0
        ? undefined
        : Array.from({ length: n }, () => (rng.int(8) === 0 ? ('test' as const) : ('train' as const)));
    const groups = importGroups(hashes, round % 4 < 2 ? undefined : names);
    const { pools } = drawItems({ n, classes: 3, classOf, groups, ...(split && { split }) }, ALL);
    const roleOf = new Map<string, Role>();
    for (const role of ROLES) {
      const contents = new Set(pools[role].map((item) => hashes[item]));
      if (role !== 'corpus train') assert.is(contents.size, pools[role].length);
      for (const item of pools[role]) {
        for (const key of [`rows ${hashes[item]}`, `unit ${groups.unitOf[item]}`]) {
          assert.is(roleOf.get(key) ?? role, role);
          roleOf.set(key, role);
        }
        if (split && (role === 'corpus train' || role === 'concepts train')) assert.is(split[item], 'train');
        if (split && (role === 'corpus test' || role === 'concepts eval')) assert.is(split[item], 'test');
      }
    }
  }
});

test('training items whose copy or group is in a given test split are left out and counted', () => {
  const hashes = Float64Array.from([0, 1, 2, 3, 4, 5, 0, 7, 8, 9]);
  const names = [null, 'p', null, null, null, null, null, 'p', null, null];
  const split = [...'rrrrrreeee'].map((part) => (part === 'r' ? 'train' : 'test') as 'train' | 'test');
  const draw = drawItems(
    { n: 10, classes: 0, classOf: new Int32Array(10).fill(-1), groups: importGroups(hashes, names), split },
    ALL,
  );
  assert.is(draw.straddling, 2);
  assert.equal(draw.pools['corpus train'].sort(), [2, 3, 4, 5]);
  assert.equal(draw.pools['corpus test'].sort(), [6, 7, 8, 9]);
});

test('the largest group is trained on, and every part gets some of twelve groups', () => {
  const names = Array.from({ length: 600 }, (_, i) => `document ${i < 300 ? 0 : 1 + (i % 11)}`);
  const groups = importGroups(distinctHashes(600), names);
  const { pools } = drawItems({ n: 600, classes: 2, classOf: Int32Array.from(names, (_, i) => i % 2), groups }, ALL);
  assert.ok(pools['corpus train'].includes(0));
  for (const role of ROLES) assert.ok(pools[role].length > 0, role);
});

function distinctHashes(n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => i);
}

test('groups join what copies join: a unit is the union of both relations', () => {
  const groups = importGroups(Float64Array.from([7, 8, 7, 9, 8]), ['a', 'b', null, 'b', 'c']);
  assert.equal([...groups.firstOf], [0, 1, 0, 3, 1]);
  assert.equal([...groups.unitOf], [0, 1, 0, 1, 1]);
  assert.equal([groups.units, groups.copies, groups.groups], [2, 2, 3]);
  // One text padded to two lengths: other rows by rounding.
  const texts = importGroups(distinctHashes(4), ['a', null, null, null], ['x', 'y', 'x', 'a']);
  assert.equal([[...texts.unitOf], texts.units, texts.copies, texts.groups], [[0, 1, 0, 3], 3, 0, 1]);
});

test.run();
