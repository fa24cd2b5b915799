/** @file Activation sets: order, files, memory, collection from a subject. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActivationSet, Item, Subject } from '../contract.ts';
import { UserError } from '../errors.ts';
import { initBackend } from '../num/backend.ts';
import { createRng } from '../num/rng.ts';
import { type Tensor3D, tf } from '../num/tf.ts';
import { nativeReady } from '../testing/against-cpu.ts';
import { inFolder, rejection } from '../testing/failing.ts';
import { memorySet } from './activation-set.ts';
import { collectActivations, lengthBatches } from './collect.ts';
import { collectInMemory } from './collect-in-memory.ts';
import type { CollectPolicy } from './policy.ts';
import { readRows } from './read-rows.ts';
import { type Pool, rowPools } from './row-order.ts';
import { openActivationSet, shardWriter } from './set-files.ts';

const test = suite('activations');
test.before(async () => {
  await initBackend('wasm');
});

/** The first `count` batches from batch `from` on. */
async function take(set: ActivationSet, size: number, count: number, from = 0, seed = 1) {
  const batches = [];
  for await (const batch of set.shuffled(size, seed, { from })) {
    batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

const counting = (n: number, d: number) => new Float32Array(n * d).map((_, i) => i);

test('an epoch goes through every kept row once, in another order each time', async () => {
  const keep = Uint8Array.from({ length: 1000 }, (_, row) => (row % 7 === 0 ? 0 : 1));
  const set = memorySet(counting(1000, 2), 2, { keep });
  const kept = [...keep.keys()].filter((row) => keep[row]);
  // 857 kept rows: two epochs of batches of one row.
  const rows = (await take(set, 1, 2 * kept.length)).map((batch) => batch.rows[0]!);
  const [first, second] = [rows.slice(0, kept.length), rows.slice(kept.length)];
  for (const epoch of [first, second])
    assert.equal(
      [...epoch].sort((a, b) => a - b),
      kept,
    );
  assert.not.equal(first, second);
  assert.not.equal(
    first,
    (await take(set, 1, kept.length, 0, 2)).map((batch) => batch.rows[0]!),
  );
});

test('batches hold the rows that they name, and start anywhere', async () => {
  const set = memorySet(counting(700, 3), 3);
  const all = await take(set, 64, 25);
  for (const { rows, x } of all) {
    assert.is(x.length, 64 * 3);
    assert.equal(
      [...x],
      [...rows].flatMap((row) => [3 * row, 3 * row + 1, 3 * row + 2]),
    );
  }
  assert.equal(await take(set, 64, 5, 20), all.slice(20));
});

test('rows of one block are spread over a pool that is larger than memory would allow at once', () => {
  const n = 200_000;
  const pools = rowPools(new Uint8Array(n).fill(1), 5, 0);
  const { rows, ranges } = pools.next().value as Pool;
  assert.is(rows.length, 65_536);
  assert.is(
    ranges.reduce((sum, [start, end]) => sum + end - start, 0),
    65_536,
  );
  // Rows come from all over the set, and neighbours do not stay neighbours.
  assert.ok(rows.slice(0, 512).some((row) => row < n / 8) && rows.slice(0, 512).some((row) => row > (7 * n) / 8));
  let adjoining = 0;
  for (let i = 1; i < rows.length; i++) if (Math.abs(rows[i]! - rows[i - 1]!) === 1) adjoining++;
  assert.ok(adjoining < 20, `${adjoining} adjoining pairs`);
});

test('scattered rows are read in any order, with repeats', async () => {
  const set = memorySet(counting(5000, 2), 2);
  const rows = Uint32Array.from([4999, 0, 17, 18, 18, 3000, 1, 2500]);
  const x = await readRows(set, rows, new Float32Array(16));
  assert.equal(
    [...x],
    [...rows].flatMap((row) => [2 * row, 2 * row + 1]),
  );
});

test('a scan gives whole items, and an item larger than asked alone', async () => {
  const bounds = Uint32Array.from([0, 3, 5, 15, 16, 20]);
  const set = memorySet(counting(20, 1), 1, { bounds });
  const seen = [];
  for await (const { firstItem, items, firstRow, rows, x } of set.scan(6))
    seen.push([firstItem, items, firstRow, rows, x[0]]);
  assert.equal(seen, [
    [0, 2, 0, 5, 0],
    [2, 1, 5, 10, 5],
    [3, 2, 15, 5, 15],
  ]);
});

/** A set of 3,000 rows in shards of 100. */
async function writeSet(folder: string, dtype: 'float32' | 'float16', x: Float32Array, d: number): Promise<void> {
  const n = x.length / d;
  const writer = shardWriter(folder, d, dtype, 100 * d * 4);
  for (let row = 0; row < n; row += 70) await writer.append(x.subarray(row * d, Math.min(n, row + 70) * d));
  await writer.finish(
    { subject: 'test', site: 'blocks.0.hook_resid_post', policy: 'all', key: 'k' },
    {
      bounds: Uint32Array.from({ length: n / 10 + 1 }, (_, i) => 10 * i),
      tokenIds: Int32Array.from({ length: n }, (_, row) => row % 50),
      positions: Uint32Array.from({ length: n }, (_, row) => row % 10),
      keep: Uint8Array.from({ length: n }, (_, row) => (row % 10 === 0 ? 0 : 1)),
    },
  );
}

test('files give back what was written; ten times more than memory gives the same batches', async () => {
  await inFolder(async (folder) => {
    const d = 5;
    const x = createRng(1).fillNormal(new Float32Array(3000 * d));
    await writeSet(folder, 'float32', x, d);
    const set = await openActivationSet(folder);
    assert.equal(await set.read(95, 1205), x.slice(95 * d, 1205 * d));
    assert.is(set.description.shards.length, 30);
    assert.is(set.description.kept, 2700);
    assert.equal([...set.tokenIds.subarray(48, 52)], [48, 49, 0, 1]);
    const small = await openActivationSet(folder, { memoryBytes: x.byteLength / 10 });
    assert.equal(await take(small, 32, 20), await take(set, 32, 20));
    assert.equal((await take(set, 32, 20))[3], (await take(memorySet(x, d, { keep: set.keep }), 32, 20))[3]);
  });
});

test('float16 files are half as large and precise to 2^-11', async () => {
  await inFolder(async (folder) => {
    const x = createRng(1).fillNormal(new Float32Array(1000 * 4));
    await writeSet(folder, 'float16', x, 4);
    const back = await (await openActivationSet(folder)).read(0, 1000);
    assert.ok(back.every((value, i) => Math.abs(value - x[i]!) <= Math.abs(x[i]!) * 2 ** -11 + 1e-7));
    assert.is((await readFile(join(folder, 'shard-00000.safetensors'))).length < 100 * 4 * 2 + 200, true);
  });
});

test('an incomplete or damaged folder is refused', async () => {
  await inFolder(async (folder) => {
    await writeSet(folder, 'float32', counting(200, 2), 2);
    const description = JSON.parse(await readFile(join(folder, 'set.json'), 'utf8'));
    const refuse = async (pattern: RegExp, change: object) => {
      await writeFile(join(folder, 'set.json'), JSON.stringify({ ...description, ...change }));
      const error = await rejection(openActivationSet(folder));
      assert.instance(error, UserError);
      assert.match(error.message, pattern);
    };
    await refuse(/expected format saxbench-activations version 1/, { version: 9 });
    await refuse(/expected shape \[100, 3\], found \[100,2\]/, { d_in: 3 });
    await refuse(/expected shape \[201\], found \[200\]/, { n: 201 });
    await refuse(/expected 200 rows in the shards, found 100/, { shards: description.shards.slice(0, 1) });
    await rm(join(folder, 'set.json'));
    assert.match((await rejection(openActivationSet(folder))).message, /set.json does not exist/);
  });
});

test('similar lengths go together within the budget', () => {
  const batches = lengthBatches([5, 1, 9, 2, 2, 9], 10);
  assert.equal(batches, [[1, 3, 4], [0], [2], [5]]);
});

/** A subject whose activation at a position is [token id, position, item length]; token 1 is special, 99 is broken. */
function echo(): Subject {
  const site = { name: 'blocks.0.hook_resid_post', d: 3, modality: 'text', kind: 'tokens' };
  const tokenize = (texts: string[], { maxLength = 64 } = {}) => {
    const ids = texts.map((text) => [1, ...text.split(' ').map(Number)].slice(0, maxLength));
    const length = Math.max(...ids.map((row) => row.length));
    const flat = ids.flatMap((row) => [...row, ...new Array(length - row.length).fill(0)]);
    const mask = ids.flatMap((row) => [...row.map(() => 1), ...new Array(length - row.length).fill(0)]);
    return { n: texts.length, length, ids: Int32Array.from(flat), mask: Uint8Array.from(mask) };
  };
  const encode = (text: string) => {
    const ids = [...tokenize([text]).ids];
    return { ids, offsets: ids.map((_, place) => [place, place + 1]) };
  };
  return {
    id: 'echo',
    type: 'lm',
    fingerprint: 'f',
    sites: [site],
    config: {},
    tokenizer: { specialIds: new Set([1]), encode },
    tokenize,
    forward({ n, length, ids, mask }: ReturnType<typeof tokenize>) {
      const values = Array.from({ length: n * length }, (_, at) => {
        const row = Math.floor(at / length);
        const real = mask.subarray(row * length, (row + 1) * length).reduce((sum, one) => sum + one, 0);
        return [ids[at] === 99 ? Number.NaN : ids[at]!, at % length, real];
      });
      // Computed, so that the native backend uses its array again for another batch.
      return { captured: { [site.name]: tf.mul(tf.tensor3d(values.flat(), [n, length, 3]), 1) as Tensor3D } };
    },
  } as unknown as Subject;
}

const words = (count: number, first: number) => Array.from({ length: count }, (_, i) => first + i).join(' ');
const ITEMS: Item[] = [4, 1, 6, 2].map((count, i) => ({ id: `item-${i}`, text: words(count, 10 * (i + 1)) }));

async function collected(folder: string, policy: CollectPolicy, options: { maxLength?: number } = {}) {
  const subject = echo();
  await collectActivations({
    subject,
    targets: [{ site: 'blocks.0.hook_resid_post', folder, key: JSON.stringify(policy) }],
    items: ITEMS,
    policy,
    batchRows: 8,
    ...options,
  });
  return openActivationSet(folder);
}

test('collecting keeps items in order, drops padding and marks special tokens', async () => {
  await inFolder(async (folder) => {
    const before = tf.memory().numTensors;
    const set = await collected(folder, {});
    assert.is(tf.memory().numTensors, before);
    assert.equal([...set.bounds], [0, 5, 7, 14, 17]);
    assert.equal([...set.tokenIds.subarray(5, 9)], [1, 20, 1, 30]);
    assert.equal([...set.positions.subarray(5, 9)], [0, 1, 0, 1]);
    assert.equal([...set.keep.subarray(0, 8)], [0, 1, 1, 1, 1, 0, 1, 0]);
    assert.equal([...(await set.read(6, 9))], [20, 1, 2, 1, 0, 7, 30, 1, 7]);
    assert.is(set.policy, 'special tokens excluded');
    const included = await collected(folder, { specialTokens: 'include' });
    assert.is(included.description.kept, 17);
    assert.is(set.key, '{}');
    assert.not.equal(included.key, set.key);
    assert.equal([...(await collected(folder, {}, { maxLength: 3 })).bounds], [0, 3, 5, 8, 11]);
  });
});

for (const backend of (await nativeReady()) ? (['wasm', 'native'] as const) : (['wasm'] as const)) {
  test(`rows of many batches and windows are their items' own, on disk and in memory: ${backend}`, async () => {
    await initBackend(backend);
    await inFolder(async (folder) => {
      const items = Array.from({ length: 2500 }, (_, i) => ({ id: `${i}`, text: words(1 + ((7 * i) % 23), 100 + i) }));
      const subject = echo();
      const site = 'blocks.0.hook_resid_post';
      const before = tf.memory().numTensors;
      await collectActivations({ subject, targets: [{ site, folder, key: 'any' }], items, batchRows: 512 });
      const sets = [await openActivationSet(folder), await collectInMemory(subject, site, items, {})];
      assert.is(tf.memory().numTensors, before);
      const expected = items.flatMap(({ text }) => {
        const ids = [1, ...text.split(' ').map(Number)];
        return ids.flatMap((id, position) => [id, position, ids.length]);
      });
      for (const set of sets) {
        const found = await set.read(0, set.n);
        assert.is(found.length, expected.length);
        // Not `equal`, whose report on two long lists takes minutes.
        assert.is(
          found.findIndex((value, i) => value !== expected[i]),
          -1,
        );
      }
    });
    await initBackend('wasm');
  });
}

test('collecting refuses an unknown site, an item without text, and values that are not finite', async () => {
  await inFolder(async (folder) => {
    const attempt = ({ site = 'blocks.0.hook_resid_post', items = ITEMS }: { site?: string; items?: Item[] }) =>
      rejection(collectActivations({ subject: echo(), targets: [{ site, folder, key: 'any' }], items }));
    assert.match(
      (await attempt({ site: 'blocks.0.hook_resid_pst' })).message,
      /unknown site of echo.*Did you mean: blocks.0/,
    );
    assert.match((await attempt({ items: [{ id: 'bare' }] })).message, /item 'bare' has neither text nor caption/);
    const broken = [{ id: 'odd', text: '99' }];
    assert.match((await attempt({ items: broken })).message, /gave NaN at blocks.0.hook_resid_post for item 'odd'/);
  });
});

test.run();
