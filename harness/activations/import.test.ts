/** @file Import of activations dumped elsewhere: manifests, labels, splits, pseudo-labels, bad input. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { writeNpy } from '../io/npy.ts';
import { writeSafetensors } from '../io/safetensors-write.ts';
import { createRng } from '../num/rng.ts';
import { describeImport } from './describe-import.ts';
import { openImport } from './import.ts';

const test = suite('import');

/** 120 rows of width 4 in two files, three classes; row i starts with i. */
const N = 120;
const D = 4;
const rows = createRng(1).fillNormal(new Float32Array(N * D));
for (let i = 0; i < N; i++) rows[i * D] = i;
const NAMES = ['cat', 'dog', 'eel'];
const labels = Array.from({ length: N }, (_, i) => (i % 10 === 9 ? null : NAMES[i % 3]!));

async function withDump(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-import-'));
  try {
    await writeNpy(join(folder, 'part-0.npy'), [50, D], rows.slice(0, 50 * D));
    await writeNpy(join(folder, 'part-1.npy'), [70, D], rows.slice(50 * D));
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const json = (folder: string, name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value));

test('parts follow one another; labels make one concept a class; all parts are disjoint', async () => {
  await withDump(async (folder) => {
    await json(folder, 'labels.json', labels);
    const { dataset, activationsFor, site, notes } = await openImport(folder, { modality: 'image' });
    assert.equal(site, { name: 'imported', d: D, modality: 'image', kind: 'pooled' });
    assert.equal(notes.slice(0, 1), ['labels from labels.json; 12 of 120 items have none']);
    const train = await dataset.corpus('train', 1000);
    const held = await dataset.corpus('test', 1000);
    const set = await dataset.concepts!({});
    assert.equal(
      set.concepts.map(({ label }) => label),
      NAMES,
    );
    const ids = [...train, ...held, ...set.items].map(({ id }) => id);
    assert.is(new Set(ids).size, ids.length);
    assert.ok(train.length >= 40 && held.length >= 12 && set.items.length >= 30, `${train.length} ${held.length}`);
    const splitOf = new Map<number, string>();
    for (const { concept, item, split, role } of set.examples) {
      const label = labels[Number(set.items[item]!.id.slice(4))];
      assert.is(label === NAMES[concept], role === 'positive');
      assert.is(splitOf.get(item) ?? split, split);
      splitOf.set(item, split);
    }
    assert.equal([...new Set(splitOf.values())].sort(), ['eval', 'train']);
    const chosen = [set.items[3]!, train[0]!, train[7]!];
    const activations = await activationsFor(chosen);
    const expected = chosen.flatMap(({ id }) => [
      ...rows.slice(Number(id.slice(4)) * D, (Number(id.slice(4)) + 1) * D),
    ]);
    assert.equal([...(await activations.read(0, 3))], expected);
    const limited = await dataset.concepts!({ concepts: 2, perClass: 3 });
    assert.is(limited.concepts.length, 2);
    assert.is(limited.examples.length, 2 * 2 * 6);
  });
});

test('csv and npy labels, class names, a given split, item bounds and embeddings', async () => {
  await withDump(async (folder) => {
    const split = Array.from({ length: 60 }, (_, i) => (i < 30 ? 'train' : 'test'));
    const lines = split.map((part, i) => `${i % 2},${part}`);
    await writeFile(join(folder, 'labels.csv'), ['label,split', ...lines].join('\n'));
    await writeNpy(
      join(folder, 'bounds.npy'),
      [61],
      Int32Array.from({ length: 61 }, (_, i) => 2 * i),
    );
    await writeNpy(
      join(folder, 'embeddings.npy'),
      [60, 2],
      new Float32Array(120).map((_, i) => i),
    );
    await json(folder, 'activations.json', {
      files: ['part-0.npy', 'part-1.npy'],
      ...{ labels: 'labels.csv', classes: ['no', 'yes'], bounds: 'bounds.npy', embeddings: 'embeddings.npy' },
      ...{ site: 'blocks.3.hook_resid_post', subject: 'some/model', modality: 'text' },
    });
    const { dataset, activationsFor, site } = await openImport(folder);
    assert.equal([site.name, site.kind], ['blocks.3.hook_resid_post', 'tokens']);
    const test = await dataset.corpus('test', 5);
    assert.ok(test.every(({ id }) => Number(id.slice(4)) >= 30));
    const set = await activationsFor(test.slice(0, 2));
    assert.equal([...set.bounds], [0, 2, 4]);
    assert.equal([...set.positions], [0, 1, 0, 1]);
    const first = Number(test[1]!.id.slice(4));
    assert.is((await set.read(2, 3))[0], 2 * first);
    const embedded = await dataset.embed!([test[1]!]);
    assert.equal([embedded.dim, ...embedded.data], [2, 2 * first, 2 * first + 1]);
    assert.equal(
      (await dataset.concepts!({})).concepts.map(({ label }) => label),
      ['no', 'yes'],
    );

    await writeNpy(
      join(folder, 'numbers.npy'),
      [60],
      Int32Array.from({ length: 60 }, (_, i) => (i % 3) - 1),
    );
    await json(folder, 'activations.json', {
      files: ['part-0.npy', 'part-1.npy'],
      labels: 'numbers.npy',
      bounds: 'bounds.npy',
    });
    const numbered = await openImport(folder, { modality: 'text' });
    assert.equal(
      (await numbered.dataset.concepts!({})).concepts.map(({ label }) => label),
      ['0', '1'],
    );
  });
});

test('zero-shot labels are those of the nearest mean prompt, and are called pseudo-labels', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-import-'));
  const angle = (degrees: number) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const images = Array.from({ length: 40 }, (_, i) => angle(i < 25 ? i : 60 + i));
  await writeNpy(join(folder, 'image_embeddings.npy'), [40, 2], Float32Array.from(images.flat()));
  // 'right' points to 10°, 'up' to 90°; the prompt without a name would change both.
  const prompts = [0, 20, 90, 45].flatMap(angle);
  await writeNpy(join(folder, 'prompt_embeddings.npy'), [4, 2], Float32Array.from(prompts));
  const names = ['right', 'right', 'up', null];
  await json(
    folder,
    'prompt_map.json',
    names.map((label_name) => ({ label_name })),
  );
  const { dataset, notes } = await openImport(folder);
  assert.match(notes[0]!, /^pseudo-labels: .* 3 prompt embeddings \(zero-shot\), not by a person/);
  for (const { concept, item, role } of (await dataset.concepts!({})).examples) {
    const row = Number((await dataset.concepts!({})).items[item]!.id.slice(4));
    assert.is(role === 'positive', row < 25 === (concept === 0));
  }
  await rm(folder, { recursive: true });
});

test('bad input is refused with file, expected and found', async () => {
  const parts = { files: ['part-0.npy', 'part-1.npy'] };
  const nan = rows.slice(0, 8);
  nan[5] = Number.NaN;
  const cases: [RegExp, (folder: string) => Promise<unknown>][] = [
    [
      /activations.json: the top level has an unknown key 'label'. Did you mean: labels/,
      (f) => json(f, 'activations.json', { ...parts, label: 'x' }),
    ],
    [
      /files: expected a value that must NOT have fewer than 1 items/,
      (f) => json(f, 'activations.json', { files: [] }),
    ],
    [
      /expected the name of a file in the same folder, found "..\/x.npy"/,
      (f) => json(f, 'activations.json', { files: ['../x.npy'] }),
    ],
    [/missing.npy does not exist/, (f) => json(f, 'activations.json', { files: ['missing.npy'] })],
    [
      /expected 4 columns as in .*part-0.npy, found 3/,
      (f) => writeNpy(join(f, 'part-2.npy'), [2, 3], new Float32Array(6)),
    ],
    [
      /expected a non-empty array of shape \[rows, width\], found \[8\]/,
      (f) => writeNpy(join(f, 'part-2.npy'), [8], new Float32Array(8)),
    ],
    [
      /part-2.npy: expected F32 as .*part-0.npy is, found F64: files of one dump are of one kind/,
      (f) => writeNpy(join(f, 'part-2.npy'), [2, 4], new Float64Array(8)),
    ],
    [
      /part-2.safetensors: expected npy as .*part-0.npy is, found safetensors/,
      async (f) => {
        const tensor = { dtype: 'F32' as const, shape: [2, D], data: new Float32Array(2 * D) };
        await writeSafetensors(join(f, 'part-2.safetensors'), { acts: tensor });
        await json(f, 'activations.json', { files: ['part-0.npy', 'part-2.safetensors'] });
      },
    ],
    [
      /files: expected a value that must NOT have duplicate items/,
      (f) => json(f, 'activations.json', { files: ['part-0.npy', 'part-0.npy'] }),
    ],
    [/3 arrays whose order would be a guess/, (f) => writeNpy(join(f, 'other.npy'), [2, 4], new Float32Array(8))],
    [/expected items enough to train and to test on/, (f) => json(f, 'groups.json', new Array(N).fill('all'))],
    [/expected floating-point numbers, found I32/, (f) => writeNpy(join(f, 'part-2.npy'), [2, 4], new Int32Array(8))],
    [
      /part-2.npy: row 1: expected finite numbers, found NaN in column 1\./,
      (f) => writeNpy(join(f, 'part-2.npy'), [2, 4], nan),
    ],
    [/expected 120 labels, one an item, found 119/, (f) => json(f, 'labels.json', labels.slice(1))],
    [/expected a list of names, numbers or null/, (f) => json(f, 'labels.json', { a: 1 })],
    [
      /unknown label 'eel': expected one of cat, dog/,
      async (f) => {
        await json(f, 'labels.json', labels);
        await json(f, 'activations.json', { ...parts, labels: 'labels.json', classes: ['cat', 'dog'] });
      },
    ],
    [
      /ascending whole numbers from 0 to the 120 rows/,
      (f) => writeNpy(join(f, 'bounds.npy'), [3], Int32Array.from([0, 70, 110])),
    ],
    [
      /expected 120 rows, one an item, found 3/,
      (f) => writeNpy(join(f, 'embeddings.npy'), [3, 2], new Float32Array(6)),
    ],
    [/expected 120 entries, each train or test/, (f) => json(f, 'split.json', ['train'])],
  ];
  for (const [pattern, spoil] of cases) {
    await withDump(async (folder) => {
      await spoil(folder);
      const error = await openImport(folder, { modality: 'image' }).then(
        () => new Error(`accepted: ${pattern}`),
        (found: Error) => found,
      );
      assert.match(error.message, pattern);
      assert.instance(error, UserError);
    });
  }
  const empty = await mkdtemp(join(tmpdir(), 'saxbench-import-'));
  const error = await openImport(empty).then(
    () => new Error('accepted'),
    (found: Error) => found,
  );
  assert.match(error.message, /expected activations.json or .npy, .npz or .safetensors files, found none/);
  await rm(empty, { recursive: true });
});

/** Rows sorted by class, as many dumps are; the first number of a row is its class. */
async function classSorted(folder: string, n: number, classes: number): Promise<void> {
  const classOf = Int32Array.from({ length: n }, (_, i) => Math.floor((i * classes) / n));
  const x = createRng(3).fillNormal(new Float32Array(n * D));
  for (let i = 0; i < n; i++) x[i * D] = classOf[i]!;
  await writeNpy(join(folder, 'x.npy'), [n, D], x);
  await writeNpy(join(folder, 'labels.npy'), [n], classOf);
}

async function withEmpty(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-import-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('rows of a class-sorted dump are never the first: a part of them has every class in its share', async () => {
  await withEmpty(async (folder) => {
    await classSorted(folder, 1000, 10);
    const { dataset, activationsFor } = await openImport(folder, { modality: 'text' });
    for (const split of ['train', 'test'] as const) {
      const set = await activationsFor(await dataset.corpus(split, 100));
      const x = await set.read(0, set.n);
      const counts = new Array<number>(10).fill(0);
      for (let row = 0; row < set.n; row++) counts[x[row * D]!]!++;
      assert.ok(Math.min(...counts) >= 9 && Math.max(...counts) <= 11, `${split}: ${counts}`);
    }
    const again = await openImport(folder, { modality: 'text', seed: 1 });
    assert.is.not(again.dataset.fingerprint, dataset.fingerprint);
    assert.is.not((await openImport(folder, { modality: 'text', test: 7 })).dataset.fingerprint, dataset.fingerprint);
  });
});

test('what tests and concepts do not need is trained on', async () => {
  await withEmpty(async (folder) => {
    await classSorted(folder, 20_000, 4);
    const concepts = { concepts: 2, perClass: 30 };
    const { trainable, dataset, notes } = await openImport(folder, { modality: 'text', test: 100, concepts });
    // Two concepts with 30 items, two classes with their third of 30 negatives, in two splits.
    assert.is(trainable, 20_000 - 100 - 2 * (2 * 30 + 2 * 10));
    assert.is((await dataset.concepts!(concepts)).concepts.length, 2);
    assert.ok(
      notes.includes(
        'split drawn with seed 0, by class: of 20000 items 19740 to train on, 100 to test on, 80 + 80 for concepts',
      ),
      notes.join('\n'),
    );
  });
});

test('twelve unpadded files are joined by number', async () => {
  await withEmpty(async (folder) => {
    for (let part = 0; part < 12; part++)
      await writeNpy(join(folder, `part_${part}.npy`), [10, D], rows.slice(part * 10 * D, (part + 1) * 10 * D));
    const { files, norms, modality } = await describeImport(folder);
    assert.equal(
      files.map(({ name }) => name),
      Array.from({ length: 12 }, (_, part) => `part_${part}.npy`),
    );
    assert.is(modality, null);
    const expected = Array.from({ length: N }, (_, i) => Math.hypot(...rows.slice(i * D, (i + 1) * D))).sort(
      (a, b) => a - b,
    );
    const found = [norms.min, norms.median, norms.max];
    for (const [i, value] of [expected[0]!, (expected[59]! + expected[60]!) / 2, expected[119]!].entries())
      assert.ok(Math.abs(found[i]! - value) < 1e-9 * value, `${found[i]} ${value}`);
  });
});

test('copies are counted and kept together, 0 and -0 being equal', async () => {
  await withEmpty(async (folder) => {
    const x = createRng(4).fillNormal(new Float32Array(600 * D));
    for (let i = 60; i < 600; i++) x.copyWithin(i * D, (i % 60) * D, ((i % 60) + 1) * D);
    x[0] = 0;
    x[60 * D] = -0;
    for (let i = 120; i < 600; i += 60) x[i * D] = 0;
    await writeNpy(join(folder, 'x.npy'), [600, D], x);
    await json(
      folder,
      'labels.json',
      Array.from({ length: 600 }, (_, i) => (i % 60) % 2),
    );
    assert.is((await describeImport(folder)).duplicates, 540);
    const { dataset, notes } = await openImport(folder, { modality: 'text' });
    assert.ok(notes.some((note) => note.startsWith('540 of 600 items repeat another')));
    const { items, examples } = await dataset.concepts!({});
    const sideOf = new Map<number, string>();
    const note = (id: string, side: string) => {
      const content = Number(id.slice(4)) % 60;
      assert.is(sideOf.get(content) ?? side, side);
      sideOf.set(content, side);
    };
    for (const { item, split } of examples) note(items[item]!.id, split);
    for (const split of ['train', 'test'] as const)
      for (const { id } of await dataset.corpus(split, 600)) note(id, `corpus ${split}`);
  });
});

test('the modality is told, or known by the site, never guessed', async () => {
  await withDump(async (folder) => {
    const mistake = (options: object) => openImport(folder, options).then(String, (error: Error) => error.message);
    assert.match(await mistake({}), /modality: expected text or image, and nothing says which; add --modality/);
    await json(folder, 'activations.json', { files: ['part-0.npy'], site: 'blocks.3.hook_resid_post' });
    assert.is((await openImport(folder)).site.modality, 'text');
    assert.match(await mistake({ modality: 'image' }), /modality: expected text, as the folder says, found image/);
    await json(folder, 'activations.json', { files: ['part-0.npy'], site: 'vision.embed' });
    assert.is((await openImport(folder)).site.modality, 'image');
  });
});

const PATHMNIST = '../shared/data/clip-embeddings/pathmnist-clip-vit-b16';

test('real CLIP embeddings of pathology images with labelled prompts', async () => {
  if (!existsSync(PATHMNIST)) {
    console.log(`skipped: ${PATHMNIST} is not here`);
    return;
  }
  const { dataset, activationsFor, site, notes } = await openImport(PATHMNIST);
  assert.equal(site, { name: 'vision.embed', d: 512, modality: 'image', kind: 'pooled' });
  assert.match(notes[0]!, /nearest of 9 classes by the mean of 192 prompt embeddings/);
  assert.match(notes[0]!, /; \d\d % of the items got 'cancer_associated_stroma'/);
  const train = await dataset.corpus('train', 1000);
  const set = await activationsFor(train);
  assert.is(set.n, train.length);
  assert.ok((await set.read(0, set.n)).every(Number.isFinite));
  const { concepts, examples } = await dataset.concepts!({});
  assert.ok(concepts.length >= 2);
  for (const [concept] of concepts.entries()) {
    for (const split of ['train', 'eval']) {
      const own = examples.filter((example) => example.concept === concept && example.split === split);
      assert.ok(own.some(({ role }) => role === 'positive') && own.some(({ role }) => role === 'negative'));
    }
  }
});

test.run();
