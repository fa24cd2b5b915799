/** @file Sets made of rows in memory, and parts of sets: whole items in batches of any size, groups kept. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryActivations } from '../testing/activations.ts';
import { firstItems, type KeptSource, rowsAsSet, scanKept } from './kept-rows.ts';

const test = suite('kit/kept-rows');

const X = Float32Array.from({ length: 24 }, (_, i) => i);

/** Rows and the number of items of each batch. */
async function scanned(set: KeptSource, size: number): Promise<{ x: number[]; items: number[] }> {
  const [x, items]: [number[], number[]] = [[], []];
  let item = 0;
  for await (const batch of scanKept(set, size)) {
    assert.is(batch.firstItem, item);
    item += batch.items;
    x.push(...batch.x);
    items.push(batch.items);
  }
  return { x, items };
}

test('rows in memory: items of as many rows each, at least one a batch, never cut', async () => {
  const set = rowsAsSet(X, 2, { each: 3, groups: Uint32Array.of(5, 5, 6, 7) });
  assert.equal([...set.bounds], [0, 3, 6, 9, 12]);
  assert.equal([...set.groups!], [5, 5, 6, 7]);
  for (const [size, items] of [
    [1, [1, 1, 1, 1]],
    [7, [2, 2]],
    [10, [3, 1]],
    [99, [4]],
  ] as const) {
    assert.equal(await scanned(set, size), { x: [...X], items: [...items] });
  }
  assert.equal(await scanned(rowsAsSet(X, 2), 5), { x: [...X], items: [5, 5, 2] });
  assert.equal(await scanned(rowsAsSet(new Float32Array(0), 2), 5), { x: [], items: [] });
});

test('the first items of a set: as a set of these alone, its rows that do not count left out', async () => {
  const items = [
    [[1], [2]],
    [[3], [4], [5]],
    [[6], [7]],
    [[8], [9]],
  ];
  const set = { ...memoryActivations(items, { special: [0] }), groups: Uint32Array.of(1, 2, 1, 3) };
  const first = firstItems(set, 3);
  const alone = { ...memoryActivations(items.slice(0, 3), { special: [0] }), groups: Uint32Array.of(1, 2, 1) };
  for (const size of [1, 4, 6, 99]) assert.equal((await scanned(first, size)).x, (await scanned(alone, size)).x);
  assert.equal([first.bounds, first.keep, first.groups], [alone.bounds, alone.keep, alone.groups]);
});

test.run();
