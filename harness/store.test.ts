import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from './io/hash.ts';
import { readArrays, writeArrays } from './store/arrays.ts';
import { openStore } from './store.ts';

const test = suite('store');
const KEY = sha256('step');

async function replaceByLink(folder: string): Promise<void> {
  await rm(folder, { recursive: true });
  await symlink('nowhere', folder);
}

async function replaceByFile(folder: string): Promise<void> {
  await rm(folder, { recursive: true });
  await writeFile(folder, 'x');
}

let root: string;
let said: string[];
const open = () => openStore(root, (line) => said.push(line));
const write = (text: string) => async (folder: string) => {
  await mkdir(join(folder, 'deep'), { recursive: true });
  await writeFile(join(folder, 'deep', 'value.txt'), text);
  return { text };
};

test.before.each(async () => {
  root = await mkdtemp(join(tmpdir(), 'saxbench-store-'));
  said = [];
});
test.after.each(() => rm(root, { recursive: true, force: true }));

test('computes once, then finds', async () => {
  const store = open();
  assert.not.ok(await store.has('fit', KEY));
  const first = await store.compute('fit', KEY, write('one'));
  const second = await store.compute('fit', KEY, write('two'));
  assert.equal([first.computed, second.computed], [true, false]);
  assert.equal(second.meta, { text: 'one' });
  assert.is(await readFile(join(second.folder, 'deep', 'value.txt'), 'utf8'), 'one');
  assert.ok(await store.has('fit', KEY));
  assert.not.ok(await store.has('evaluate', KEY));
});

for (const [what, damage] of [
  ['another content of the same size', (file: string) => writeFile(file, 'onE')],
  ['a shorter file', (file: string) => writeFile(file, 'o')],
  ['a missing file', (file: string) => rm(file)],
  ['a file too many', (file: string) => writeFile(join(file, '../other.txt'), 'one')],
  [
    'an edited manifest',
    async (file: string) => {
      const manifest = join(file, '../../manifest.json');
      await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"text": "one"', '"text": "two"'));
    },
  ],
  ['a manifest without its files', (file: string) => writeFile(join(file, '../../manifest.json'), 'null')],
  ['a link to nothing in its place', (file: string) => replaceByLink(join(file, '../..'))],
  ['a file in its place', (file: string) => replaceByFile(join(file, '../..'))],
  ['a broken manifest', (file: string) => writeFile(join(file, '../../manifest.json'), '{')],
  [
    'a manifest of another step',
    (file: string) => writeFile(join(file, '../../manifest.json'), '{"format":1,"key":"x"}'),
  ],
] as const) {
  test(`${what} is said and computed again`, async () => {
    const store = open();
    const { folder } = await store.compute('fit', KEY, write('one'));
    await damage(join(folder, 'deep', 'value.txt'));
    assert.is(await store.open('fit', KEY), undefined);
    assert.match(said[0]!, /step fit .* is damaged .* computed again/);
    const again = await store.compute('fit', KEY, write('one'));
    assert.ok(again.computed);
    assert.is(said.length, 1);
    assert.ok(await store.open('fit', KEY));
    assert.equal(await readdir(join(root, 'partial')), []);
  });
}

test('a step that throws leaves nothing behind', async () => {
  const store = open();
  const failing = async (folder: string) => {
    await writeFile(join(folder, 'half'), 'x');
    throw new Error('no');
  };
  try {
    await store.compute('fit', KEY, failing);
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'no');
  }
  assert.not.ok(await store.has('fit', KEY));
  assert.equal(await readdir(join(root, 'partial')), []);
  assert.equal(await readdir(join(root, 'locks')), []);
});

test('a resumable step goes on from what the failed attempt left', async () => {
  const store = open();
  const attempts: string[][] = [];
  const make = async (folder: string) => {
    attempts.push(await readdir(folder));
    await writeFile(join(folder, `part-${attempts.length}`), 'x');
    if (attempts.length === 1) throw new Error('killed');
    return {};
  };
  await store.compute('fit', KEY, make, { resumable: true }).catch(() => undefined);
  await store.compute('fit', KEY, make, { resumable: true });
  assert.equal(attempts, [[], ['part-1']]);
});

test('a resumable step that left nothing leaves no folder either', async () => {
  const failing = () => Promise.reject(new Error('at once'));
  await open()
    .compute('fit', KEY, failing, { resumable: true })
    .catch(() => undefined);
  assert.equal(await readdir(join(root, 'partial')), []);
});

test('two at once: one computes, the other waits for it', async () => {
  const store = open();
  let begun = 0;
  const slow = async (folder: string) => {
    begun += 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return write('one')(folder);
  };
  const both = await Promise.all([store.compute('fit', KEY, slow), open().compute('fit', KEY, slow)]);
  assert.is(begun, 1);
  assert.equal(both.map(({ computed }) => computed).sort(), [false, true]);
});

test('a step is fetched by its key alone', async () => {
  const store = open();
  const { folder } = await store.compute('prepare', KEY, write('one'));
  assert.equal(await store.fetch(KEY), { folder, meta: { text: 'one' } });
  assert.is(await store.fetch(sha256('missing')), undefined);
});

test('a store that has everything is only read', async () => {
  const { folder } = await open().compute('fit', KEY, write('one'));
  await rm(join(root, 'partial'), { recursive: true });
  await rm(join(root, 'locks'), { recursive: true });
  // Nobody may write where a file is in the way, whoever it is.
  await writeFile(join(root, 'partial'), '');
  await writeFile(join(root, 'locks'), '');
  const store = open();
  assert.ok(await store.has('fit', KEY));
  const found = await store.compute('fit', KEY, () => Promise.reject(new Error('computed')));
  assert.equal([found.computed, found.folder], [false, folder]);
  try {
    await store.compute('fit', sha256('missing'), write('one'));
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /^cannot write .*: a part of the path is a file, not a folder/);
  }
});

test('a store that cannot be written is one clear line', async () => {
  const file = join(root, 'file');
  await writeFile(file, '');
  for (const action of [
    () => openStore(join(file, 'store'), () => {}).checkWritable(),
    () => openStore(join(file, 'store'), () => {}).compute('fit', KEY, write('one')),
  ]) {
    try {
      await action();
      assert.unreachable();
    } catch (error) {
      assert.is((error as Error).name, 'UserError');
      assert.match((error as Error).message, /^cannot write .*: a part of the path is a file, not a folder/);
    }
  }
});

test('a file system that refuses new folders ends in an error, not in an endless loop', async () => {
  if (!existsSync('/proc/self')) {
    console.log('skipped: no /proc here');
    return;
  }
  try {
    await openStore('/proc/saxbench', () => {}).checkWritable();
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /^cannot write \/proc\/saxbench.*: the folder cannot be made/);
  }
});

test('a folder without permission is one clear line', async () => {
  if (process.getuid?.() === 0) {
    console.log('skipped: root may write anywhere');
    return;
  }
  await chmod(root, 0o500);
  try {
    await open().checkWritable();
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /no permission to write there/);
  } finally {
    await chmod(root, 0o700);
  }
});

test('arrays of each type come back as they were', async () => {
  const arrays = {
    floats: { shape: [2, 2], data: new Float32Array([1.5, -0, 3e38, 2]) },
    ints: { shape: [3], data: new Int32Array([-1, 0, 2147483647]) },
    bytes: { shape: [2], data: new Uint8Array([0, 255]) },
  };
  await writeArrays(root, { arrays, json: { names: ['a'], none: null } });
  const back = await readArrays(root);
  assert.equal(back.json, { names: ['a'], none: null });
  assert.equal(back.arrays, arrays);
});

test('arrays whose shape is not that of the data are refused', async () => {
  try {
    await writeArrays(root, { arrays: { x: { shape: [3], data: new Float32Array(2) } } });
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /array 'x': shape \[3\] has 3 values, data 2/);
  }
});

test('no tensors at all, as a baseline without state leaves', async () => {
  await writeArrays(root, { arrays: {} });
  assert.equal(await readArrays(root), { arrays: {}, json: undefined });
});

test.run();
