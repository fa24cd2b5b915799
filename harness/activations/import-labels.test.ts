/** @file Labels and groups of imported items: every kind of file, tensors, what is refused and what is named as unread. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { writeNpy } from '../io/npy.ts';
import { writeSafetensors } from '../io/safetensors-write.ts';
import { createRng } from '../num/rng.ts';
import { zipOf } from '../testing/zip.ts';
import { describeImport } from './describe-import.ts';
import { openHeader, openImport } from './import.ts';
import { readItemFacts } from './import-labels.ts';

const test = suite('import labels');

const N = 60;
const D = 3;
const rows = createRng(2).fillNormal(new Float32Array(N * D));
const numbers = Int32Array.from({ length: N }, (_, i) => i % 3);
const json = (folder: string, name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value));

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-labels-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A folder of one array x.npy. */
const withRows = (use: (folder: string) => Promise<void>) =>
  withFolder(async (folder) => {
    await writeNpy(join(folder, 'x.npy'), [N, D], rows);
    await use(folder);
  });

async function factsOf(folder: string) {
  const { manifest, rows: found } = await openHeader(folder);
  return readItemFacts(folder, manifest, found, N);
}

async function mistake(folder: string): Promise<string> {
  const error = await openImport(folder, { modality: 'image' }).then(
    () => new Error('accepted'),
    (found: Error) => found,
  );
  assert.instance(error, UserError, error.message);
  assert.not.match(error.message, /\n/);
  return error.message;
}

const column = (name: string, entries: ArrayLike<unknown>) => `${name}\n${Array.from(entries).join('\n')}\n`;

const sources: [string, (folder: string) => Promise<unknown>][] = [
  ['labels.txt', (f) => writeFile(join(f, 'labels.txt'), Array.from(numbers).join('\r\n'))],
  ['labels.csv', (f) => writeFile(join(f, 'labels.csv'), column('label', numbers))],
  ['labels.json', (f) => json(f, 'labels.json', Array.from(numbers))],
  ['labels.npy', (f) => writeNpy(join(f, 'labels.npy'), [N], numbers)],
  ['labels.npy of whole floats', (f) => writeNpy(join(f, 'labels.npy'), [N], Float64Array.from(numbers))],
  [
    'labels.csv of whole floats',
    (f) =>
      writeFile(
        join(f, 'labels.csv'),
        column(
          'label',
          Array.from(numbers, (c) => `${c}.0`),
        ),
      ),
  ],
];

for (const [what, write] of sources) {
  test(`${what} is read`, async () => {
    await withRows(async (folder) => {
      await write(folder);
      const { labels, unread } = await factsOf(folder);
      assert.equal([labels!.classes, [...labels!.classOf]], [['0', '1', '2'], [...numbers]]);
      assert.equal([labels!.origin, unread], [`labels from ${what.split(' ')[0]}`, []]);
    });
  });
}

test('tensors labels and groups of .safetensors and .npz are read, others are named', async () => {
  const ids = Int32Array.from({ length: N }, (_, i) => i >> 1);
  await withFolder(async (folder) => {
    for (const [part, from, to] of [
      [0, 0, 20],
      [1, 20, N],
    ] as const) {
      const vector = (data: Int32Array) => ({ dtype: 'I32' as const, shape: [to - from], data: data.slice(from, to) });
      await writeSafetensors(join(folder, `part-${part}.safetensors`), {
        acts: { dtype: 'F32', shape: [to - from, D], data: rows.slice(from * D, to * D) },
        ...{ labels: vector(numbers), groups: vector(ids), extra: vector(ids) },
      });
    }
    const { labels, groups } = await factsOf(folder);
    assert.equal([...labels!.classOf], [...numbers]);
    assert.is(new Set(groups!.names).size, N / 2);
    const { notes } = await openImport(folder, { modality: 'image' });
    assert.ok(
      notes.includes("not read: tensor 'extra' of part-0.safetensors, tensor 'extra' of part-1.safetensors"),
      notes.join('\n'),
    );
    await writeFile(join(folder, 'labels.csv'), column('label', numbers));
    assert.ok((await factsOf(folder)).unread.includes("tensor 'labels'"));
  });
  await withFolder(async (folder) => {
    const arrays = { x: [[N, D], rows], labels: [[N], numbers] } as const;
    const members = [];
    for (const [name, [shape, data]] of Object.entries(arrays)) {
      await writeNpy(join(folder, 'member'), shape, data);
      members.push({ name: `${name}.npy`, content: await readFile(join(folder, 'member')) });
    }
    await rm(join(folder, 'member'));
    await writeFile(join(folder, 'all.npz'), zipOf(members));
    const { rows: found } = await openHeader(folder);
    assert.equal([...(await found.read(7, 8))], [...rows.slice(7 * D, 8 * D)]);
    assert.equal([...(await factsOf(folder)).labels!.classOf], [...numbers]);
  });
});

const bad: [string, (folder: string) => Promise<unknown>, RegExp][] = [
  [
    'measurements in .npy',
    (f) => writeNpy(join(f, 'labels.npy'), [N], Float32Array.from(numbers).fill(0.5, 4, 5)),
    /labels\.npy: expected names or whole numbers, found 0\.5 for item 4/,
  ],
  [
    'NaN in .npy',
    (f) => writeNpy(join(f, 'labels.npy'), [N], Float32Array.from(numbers).fill(Number.NaN, 9, 10)),
    /found NaN for item 9/,
  ],
  [
    'measurements in .json',
    (f) =>
      json(
        f,
        'labels.json',
        Array.from(numbers, (c) => c + 0.25),
      ),
    /found 0\.25 for item 0/,
  ],
  [
    'measurements in .csv',
    (f) =>
      writeFile(
        join(f, 'labels.csv'),
        column(
          'label',
          Array.from(numbers, (c) => `${c}.5`),
        ),
      ),
    /found 0\.5 for item 0/,
  ],
  [
    'measurements in .txt',
    (f) => writeFile(join(f, 'labels.txt'), Array.from(numbers, (c) => `1e-${c + 1}`).join('\n')),
    /found 1e-1 for item 0/,
  ],
  [
    'a matrix',
    (f) => writeNpy(join(f, 'labels.npy'), [N, 1], numbers),
    /expected one number an item, found shape \[60,1\]/,
  ],
  [
    'two files',
    async (f) => {
      await json(f, 'labels.json', [...numbers]);
      await writeFile(join(f, 'labels.txt'), '1');
    },
    /labels\.json and labels\.txt both look like the labels; say which/,
  ],
  [
    '-1 and 1 alone',
    (f) =>
      json(
        f,
        'labels.json',
        Array.from(numbers, (c) => (c === 0 ? -1 : 1)),
      ),
    /found the labels -1 and 1 alone/,
  ],
  [
    'no label at all',
    (f) =>
      json(
        f,
        'labels.json',
        Array.from(numbers, () => null),
      ),
    /expected at least one label, found none/,
  ],
  [
    'too few lines',
    (f) => writeFile(join(f, 'labels.txt'), 'a\nb\n'),
    /labels\.txt: expected 60 labels, one an item, found 2/,
  ],
  ['too few groups', (f) => json(f, 'groups.json', ['a']), /expected 60 groups, one an item, found 1/],
];

for (const [what, write, pattern] of bad) {
  test(`labels: ${what}: refused`, async () => {
    await withRows(async (folder) => {
      await write(folder);
      assert.match(await mistake(folder), pattern);
    });
  });
}

test('what looks like labels and is not read is named', async () => {
  await withRows(async (folder) => {
    await json(folder, 'activations.json', { files: ['x.npy'] });
    await writeFile(join(folder, 'labels.txt'), Array.from(numbers).join('\n'));
    await writeFile(join(folder, 'my_targets.parquet'), '');
    await writeFile(join(folder, 'notes.md'), '');
    const { dataset, notes } = await openImport(folder, { modality: 'text' });
    assert.is(dataset.concepts, undefined);
    assert.ok(notes.includes('not read: file labels.txt, file my_targets.parquet'), notes.join('\n'));
    assert.equal((await describeImport(folder)).unread, ['labels.txt', 'my_targets.parquet', 'notes.md']);
  });
});

test('20,000 different labels are read in a moment and not listed', async () => {
  await withFolder(async (folder) => {
    const n = 20_000;
    await writeNpy(
      join(folder, 'x.npy'),
      [n, 1],
      Float32Array.from({ length: n }, (_, i) => i + 1),
    );
    await json(
      folder,
      'labels.json',
      Array.from({ length: n }, (_, i) => `id ${i}`),
    );
    const { dataset, notes } = await openImport(folder, { modality: 'text' });
    assert.is(dataset.concepts, undefined);
    assert.ok(
      notes.every((note) => note.length < 250),
      notes.join('\n'),
    );
  });
});

test('groups and splits beside labels in one CSV', async () => {
  await withRows(async (folder) => {
    const lines = Array.from(numbers, (c, i) => `${c},${i < 40 ? 'train' : 'test'},doc${i >> 2},x`);
    await writeFile(join(folder, 'labels.csv'), ['label,split,group,remark', ...lines].join('\n'));
    const { groups, split, unread } = await factsOf(folder);
    assert.equal(
      [groups!.names[5], groups!.origin, split![39], split![40]],
      ['doc1', 'groups from labels.csv', 'train', 'test'],
    );
    assert.equal(unread, ["column 'remark' of labels.csv"]);
  });
});

test.run();
