/** @file Which classes of an import are its concepts, and which items hang together in intervals. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { importedDataset } from './import-dataset.ts';
import { importGroups } from './import-groups.ts';

const test = suite('import concepts');

/** 30 classes in alphabetical order, 40 items each, sorted by class; the first two have four items only. */
const CLASSES = Array.from({ length: 30 }, (_, c) => `class ${String(c).padStart(2, '0')}`);
const classOf = Int32Array.from(CLASSES.flatMap((_, c) => new Array<number>(c < 2 ? 4 : 40).fill(c)));
const n = classOf.length;
const imported = {
  ...{ name: 'imported', fingerprint: 'f', modality: 'image' as const, n, unread: [] },
  together: importGroups(Float64Array.from({ length: n }, (_, i) => i)),
  labels: { classes: CLASSES, classOf, origin: 'labels from labels.txt' },
};

async function conceptsOf(seed: number, most: number): Promise<{ names: string[]; notes: string[] }> {
  const concepts = { concepts: most, perClass: 5 };
  const { dataset, notes } = importedDataset(imported as never, { seed, test: 50, concepts });
  return { names: (await dataset.concepts!(concepts)).concepts.map(({ label }) => label), notes };
}

test('concepts are drawn by the seed from the classes with enough items, in no order of names, and said', async () => {
  const { names, notes } = await conceptsOf(0, 6);
  assert.is(names.length, 6);
  assert.equal(names, [...names].sort(), 'listed in the order of the classes');
  assert.not.equal(names, CLASSES.slice(2, 8), 'not the first that are usable');
  assert.not.ok(
    names.some((name) => CLASSES.indexOf(name) < 2),
    'none without enough items',
  );
  assert.ok(
    notes.includes(`concepts: 6 of 28 classes with enough items, drawn with seed 0: ${names.join(', ')}`),
    notes.join('\n'),
  );
  assert.equal((await conceptsOf(0, 6)).names, names);
  assert.not.equal((await conceptsOf(1, 6)).names, names);
});

test('fewer concepts are some of more; over seeds every class comes up', async () => {
  const [few, many] = [await conceptsOf(3, 4), await conceptsOf(3, 9)];
  assert.ok(few.names.every((name) => many.names.includes(name)));
  const seen = new Set<string>();
  for (let seed = 0; seed < 60; seed++) for (const name of (await conceptsOf(seed, 6)).names) seen.add(name);
  assert.is(seen.size, 28);
  const all = await conceptsOf(0, 99);
  assert.is(all.names.length, 28);
  assert.not.ok(
    all.notes.some((note) => note.startsWith('concepts:')),
    'nothing was drawn',
  );
});

test.run();
