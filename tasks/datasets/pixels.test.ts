/** @file Pixels as vectors: known atoms, scenes and files with their shapes, splits, copies of one image, what is refused. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dataset } from '../../harness/contract.ts';
import pixels from './pixels.ts';

const test = suite('tasks/datasets/pixels');
let folder: string;
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-pixels-'));
  await mkdir(join(folder, 'deeper'));
  for (let i = 0; i < 9; i++) {
    const colour = { r: 20 * i, g: 255 - 20 * i, b: 7 };
    const file = join(folder, i % 2 ? 'deeper' : '.', `${i}.png`);
    await sharp({ create: { width: 6, height: 6, channels: 3, background: colour } })
      .png()
      .toFile(file);
  }
  await copyFile(join(folder, '0.png'), join(folder, 'copy.png'));
  await writeFile(join(folder, 'notes.txt'), 'no image');
});
test.after(() => rm(folder, { recursive: true }));

const open = (options: object, seed = 0): Promise<Dataset> =>
  pixels.open({ source: 'atoms', size: 8, ...options } as never, { seed, baseDir: '.' });

test('known atoms: features and the shape of the rows', async () => {
  const { activations, groundTruth } = await open({});
  assert.equal(activations!.site.input, [3, 16, 16]);
  assert.is(activations!.site.d, 768);
  assert.is((await groundTruth!.directions()).length, 768 * groundTruth!.features);
});

test('scenes of the image world: numbers from 0 to 1, by the id alone', async () => {
  const { activations, corpus, groundTruth } = await open({ source: 'image-world' });
  const items = await corpus('test', 3);
  const x = await activations!.rows(items);
  assert.is(x.length, 3 * 192);
  assert.ok(x.every((value) => value >= 0 && value <= 1));
  assert.equal([...(await activations!.rows(items.slice(2)))], [...x.slice(2 * 192)]);
  assert.is(groundTruth, undefined);
});

test('files: subfolders count, channels come first, splits share no image, not even by a copy', async () => {
  const dataset = await open({ source: 'files', path: folder });
  const [train, held] = [await dataset.corpus('train', 99), await dataset.corpus('test', 99)];
  assert.is(train.length + held.length, 10);
  assert.ok(held.length > 0);
  const all = [...train, ...held].map(({ id }) => id);
  assert.is(new Set(all).size, 10);
  const both = [train, held].map((items) => items.filter(({ id }) => id === '0.png' || id === 'copy.png').length);
  assert.equal(both.sort(), [0, 2]);
  const x = await dataset.activations!.rows([{ id: 'deeper/3.png' }]);
  const channel = (c: number) => [...x.slice(64 * c, 64 * (c + 1))];
  [60, 195, 7].forEach((value, c) => {
    assert.ok(channel(c).every((found) => Math.abs(found - value / 255) < 1e-6));
  });
  assert.equal(await (await open({ source: 'files', path: folder })).corpus('test', 99), held);
});

test('a folder without images, none, one beside another source: one line', async () => {
  const refused = async (options: object) => {
    try {
      await open(options);
    } catch (error) {
      return (error as Error).message;
    }
    return 'it passed';
  };
  assert.match(await refused({ source: 'files' }), /^dataset pixels: expected the option 'path', found none;/);
  assert.match(await refused({ source: 'files', path: join(folder, 'none') }), /there is no /);
  const empty = join(folder, 'empty');
  await mkdir(empty);
  assert.match(await refused({ source: 'files', path: empty }), /expected at least 3 images .*, found 0\./);
  const copies = join(folder, 'copies');
  await mkdir(copies);
  for (const name of ['a', 'b', 'c']) await copyFile(join(folder, '0.png'), join(copies, `${name}.png`));
  assert.match(await refused({ source: 'files', path: copies }), /at least 3 different images, found 1 in 3 files\./);
  assert.match(await refused({ path: folder }), /^dataset pixels: path: expected none with source 'atoms', found /);
});

test.run();
