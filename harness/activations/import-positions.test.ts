/** @file What imported folders say of their rows: which count, tokens, positions; texts; and what of it is wrong. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeNpy } from '../io/npy.ts';
import { createRng } from '../num/rng.ts';
import { inFolder, refusal } from '../testing/failing.ts';
import { openImport } from './import.ts';
import { positionRule, withoutPositions } from './positions.ts';

const test = suite('import/positions');

const ITEMS = 100;
const LENGTH = 5;
const N = ITEMS * LENGTH;

/** Items of five rows, the first of which is a sink of 300 times the norm. */
async function dump(folder: string, more: Record<string, unknown> = {}): Promise<void> {
  const x = createRng(3).fillNormal(new Float32Array(N * 4));
  for (let row = 0; row < N; row += LENGTH) for (let i = 0; i < 4; i++) x[row * 4 + i] = 300 * (1 + i);
  await writeNpy(join(folder, 'rows.npy'), [N, 4], x);
  const bounds = Float32Array.from({ length: ITEMS + 1 }, (_, i) => i * LENGTH);
  await writeNpy(join(folder, 'bounds.npy'), [ITEMS + 1], bounds);
  const manifest = { files: ['rows.npy'], bounds: 'bounds.npy', site: 'blocks.1.hook_resid_post', ...more };
  await writeFile(join(folder, 'activations.json'), JSON.stringify(manifest));
}

const column = (folder: string, name: string, of: (row: number) => number, length = N) =>
  writeNpy(
    join(folder, name),
    [length],
    Float32Array.from({ length }, (_, row) => of(row)),
  );

async function opened(folder: string) {
  const imported = await openImport(folder);
  const items = await imported.dataset.corpus('train', 1000);
  return { ...imported, items, set: await imported.activationsFor(items) };
}

test('without columns all is as before; sinks are measured as they are of a model', () =>
  inFolder(async (folder) => {
    await dump(folder);
    const { set, site } = await opened(folder);
    assert.is(set.policy, 'imported: every row kept');
    assert.is(site.kind, 'tokens');
    const rule = (await positionRule({}, site, set))!;
    assert.equal([rule.first, rule.measured], [1, true]);
    const { set: filtered } = await withoutPositions(set, rule);
    assert.equal([...filtered.keep.subarray(0, 6)], [0, 1, 1, 1, 1, 0]);
  }));

test('keep, tokens, positions and texts are those of the folder, row by row, and change its fingerprint', () =>
  inFolder(async (folder) => {
    await dump(folder);
    const plain = await opened(folder);
    await dump(folder, { keep: 'keep.npy', tokenIds: 'ids.npy', positions: 'places.npy', texts: 'texts.json' });
    await column(folder, 'keep.npy', (row) => (row % LENGTH === 0 ? 0 : 1));
    await column(folder, 'ids.npy', (row) => row + 7);
    // The files begin at the third token of each text.
    await column(folder, 'places.npy', (row) => 2 + (row % LENGTH));
    await writeFile(join(folder, 'texts.json'), JSON.stringify(Array.from({ length: ITEMS }, (_, i) => `text ${i}`)));
    const { set, items, site, fingerprint } = await opened(folder);
    assert.is.not(fingerprint, plain.fingerprint);
    assert.is(set.policy, 'imported: rows kept as the folder says');
    for (const [i, { id, text }] of items.entries()) {
      const item = Number(id.slice(4));
      assert.is(text, `text ${item}`);
      assert.equal(
        [...set.tokenIds.subarray(i * LENGTH, (i + 1) * LENGTH)],
        [0, 1, 2, 3, 4].map((p) => item * LENGTH + p + 7),
      );
      assert.equal([...set.positions.subarray(i * LENGTH, (i + 1) * LENGTH)], [2, 3, 4, 5, 6]);
      assert.equal([...set.keep.subarray(i * LENGTH, (i + 1) * LENGTH)], [0, 1, 1, 1, 1]);
    }
    // What the folder leaves out already needs no filter.
    assert.is(await positionRule({}, site, set), undefined);
  }));

test('columns that do not fit are one line', () =>
  inFolder(async (folder) => {
    const refused = async (more: Record<string, unknown>) => {
      await dump(folder, more);
      return refusal(opened(folder));
    };
    await column(folder, 'short.npy', () => 1, N - 1);
    assert.match(
      await refused({ keep: 'short.npy' }),
      /^keep .*short\.npy: expected 500 numbers, one a row, found shape \[499\]/,
    );
    await column(folder, 'two.npy', (row) => (row === 3 ? 2 : 1));
    assert.match(await refused({ keep: 'two.npy' }), /row 3: expected a whole number from 0 to 1, found 2/);
    await column(folder, 'half.npy', (row) => (row === 4 ? 0.5 : 1));
    assert.match(
      await refused({ tokenIds: 'half.npy' }),
      /row 4: expected a whole number from -1 to 2147483647, found 0\.5/,
    );
    await column(folder, 'none.npy', (row) => (row >= 10 && row < 15 ? 0 : 1));
    assert.match(await refused({ keep: 'none.npy' }), /item 2: expected a row that counts, found none; leave it out/);
    await column(folder, 'back.npy', (row) => (row === 8 ? 0 : row % LENGTH));
    assert.match(
      await refused({ positions: 'back.npy' }),
      /row 8: expected more than 2, the position before it in item 1, found 0/,
    );
    await writeFile(join(folder, 'texts.json'), JSON.stringify(['one']));
    assert.match(
      await refused({ texts: 'texts.json' }),
      /expected a list of 100 texts, one an item, found a list of 1 entries/,
    );
    assert.match(await refused({ keep: 'gone.npy' }), /gone\.npy/);
    assert.match(await refused({ keep: '../keep.npy' }), /expected the name of a file in the same folder/);
    await column(folder, 'keep.npy', () => 1);
    assert.match(
      await refused({ keep: 'keep.npy', bounds: undefined, modality: 'text' }),
      /keep: expected 'bounds' too, which says where items begin/,
    );
  }));

test('the position before a row is the one before it in its text, not the row before it in the files', () =>
  inFolder(async (folder) => {
    // Of every item the files lack the positions 0 and 3; 6 of the item before is no neighbour of 7.
    const places = [1, 2, 4, 5, 6];
    const next = (row: number) => places[row % LENGTH]! + (Math.floor(row / LENGTH) % 2) * 6;
    await dump(folder, { positions: 'places.npy' });
    await column(folder, 'places.npy', next);
    const { set } = await opened(folder);
    for await (const { rows } of set.shuffled(set.n, 0, { previous: true })) {
      assert.equal(new Set(rows.map((row) => row % LENGTH)), new Set([1, 3, 4]));
      break;
    }
  }));

test('items of one text lie in one split, whatever their rows', () =>
  inFolder(async (folder) => {
    await dump(folder, { texts: 'texts.json' });
    const texts = Array.from({ length: ITEMS }, (_, i) => `text ${i % 40}`);
    await writeFile(join(folder, 'texts.json'), JSON.stringify(texts));
    const { dataset } = await openImport(folder, { test: 30 });
    const [train, held] = [await dataset.corpus('train', 1000), await dataset.corpus('test', 1000)];
    const trained = new Set(train.map(({ text }) => text));
    assert.ok(held.length > 0 && train.length > 0);
    assert.equal(
      held.filter(({ text }) => trained.has(text)),
      [],
    );
  }));

test('offsets are places in the texts, in UTF-16 code units, and change no fingerprint', () =>
  inFolder(async (folder) => {
    const words = Array.from({ length: ITEMS }, (_, i) => `a😀b ${i}`);
    await writeFile(join(folder, 'texts.json'), JSON.stringify(words));
    await dump(folder, { texts: 'texts.json' });
    const without = await opened(folder);
    const spans = [0, 0, 0, 1, 1, 3, 3, 4, 4, 6];
    const write = (of: (i: number) => number, shape = [N, 2]) =>
      writeNpy(
        join(folder, 'offsets.npy'),
        shape,
        Float32Array.from({ length: 2 * N }, (_, i) => of(i)),
      );
    await dump(folder, { texts: 'texts.json', offsets: 'offsets.npy' });
    await write((i) => spans[i % 10]!);
    assert.is((await opened(folder)).fingerprint, without.fingerprint);
    await write((i) => (i === 59 ? 7 : spans[i % 10]!));
    assert.match(
      await refusal(() => opened(folder)),
      /offsets .*offsets\.npy: row 29: expected two ascending whole numbers up to 6, the UTF-16 code units of text 5; found 4 and 7/,
    );
    await write((i) => (i === 4 ? 5 : spans[i % 10]!));
    assert.match(await refusal(() => opened(folder)), /row 2: expected two ascending .* found 5 and 3/);
    await write((i) => spans[i % 10]!, [2 * N]);
    assert.match(await refusal(() => opened(folder)), /expected shape \[500, 2\], found \[1000\]/);
    await dump(folder, { offsets: 'offsets.npy' });
    assert.match(await refusal(() => opened(folder)), /offsets .*: expected 'texts' too/);
  }));

test.run();
