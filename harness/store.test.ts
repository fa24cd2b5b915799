/** @file The store: nothing half-written, damage found and mended, dead lock holders forgotten. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from './io/hash.ts';
import { readArrays, writeArrays } from './store/arrays.ts';
import type { Holder } from './store/holder.ts';
import { openStore, storePlaces } from './store.ts';

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

/** A lock as another process takes it. */
async function leaveLock(holder: Holder | string, key = KEY): Promise<void> {
  const folder = storePlaces(root).lock(key);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, randomUUID()), typeof holder === 'string' ? holder : JSON.stringify(holder));
}

test('the lock of a process that was killed is taken over', async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
  await leaveLock({ pid: child.pid!, host: hostname(), started: '' });
  const computing = open().compute('fit', KEY, write('one'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.match(said[0]!, new RegExp(`waiting for process ${child.pid} `));
  child.kill('SIGKILL');
  assert.ok((await computing).computed);
});

test('a holder on another host is told with the time when it was last heard of', async () => {
  await leaveLock({ pid: 77, host: 'another-host', started: '' });
  const signal = AbortSignal.timeout(100);
  await open()
    .compute('fit', KEY, write('one'), { signal })
    .then(
      () => assert.unreachable(),
      () => undefined,
    );
  assert.match(
    said[0]!,
    /waiting for process 77 on another-host \(at work \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\), another host, which computes fit/,
  );
});

test('a dead holder on another host is taken over after its lease, a renewed lease is waited for', async () => {
  await leaveLock({ pid: 77, host: 'another-host', started: '' });
  const started = performance.now();
  assert.ok((await openStore(root, () => {}, { leaseMs: 300 }).compute('fit', KEY, write('one'))).computed);
  assert.ok(performance.now() - started >= 250, 'not before its lease ended');

  const other = sha256('renewed');
  await leaveLock({ pid: 77, host: 'another-host', started: '' }, other);
  const [file] = await readdir(storePlaces(root).lock(other));
  const renewing = setInterval(() => appendFile(join(storePlaces(root).lock(other), file!), '\n'), 50);
  const signal = AbortSignal.timeout(1000);
  await openStore(root, () => {}, { leaseMs: 300 })
    .compute('fit', other, write('one'), { signal })
    .then(
      () => assert.unreachable(),
      () => assert.ok(signal.aborted),
    )
    .finally(() => clearInterval(renewing));
});

test('who holds a lock renews its lease, so that another host sees it at work', async () => {
  await openStore(root, () => {}, { leaseMs: 200 }).compute('fit', KEY, async (folder) => {
    const [id] = await readdir(storePlaces(root).lock(KEY));
    const file = join(storePlaces(root).lock(KEY), id!);
    const first = (await stat(file)).mtimeMs;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok((await stat(file)).mtimeMs > first);
    assert.is((JSON.parse(await readFile(file, 'utf8')) as Holder).pid, process.pid);
    return write('one')(folder);
  });
});

for (const resumable of [false, true]) {
  test(`who slept through its lease gets what the other computed, ${resumable ? '' : 'not '}resumable`, async () => {
    const { lock } = storePlaces(root);
    let attempts = 0;
    const slept = await open().compute(
      'fit',
      KEY,
      async (folder) => {
        attempts++;
        await writeFile(join(folder, 'part'), 'the sleeper');
        const [id] = await readdir(lock(KEY));
        const file = join(lock(KEY), id!);
        await writeFile(file, JSON.stringify({ pid: 77, host: 'another-host', started: '' }));
        await utimes(file, new Date(0), new Date(0));
        const other = await openStore(root, () => {}).compute('fit', KEY, write('the other'), { resumable });
        assert.ok(other.computed);
        // Awake again, it goes on where its folder was.
        return write('the sleeper')(folder);
      },
      { resumable },
    );
    assert.equal([attempts, slept.computed, slept.meta], [1, false, { text: 'the other' }]);
    assert.is(await readFile(join(slept.folder, 'deep', 'value.txt'), 'utf8'), 'the other');
    assert.ok(await open().open('fit', KEY));
    assert.match(said.join('\n'), /^store: fit \S+ was taken over while this process was not heard of\.$/);
    assert.equal(await readdir(join(root, 'locks')), []);
  });
}

test('a step is fetched by its key alone', async () => {
  const store = open();
  const { folder } = await store.compute('prepare', KEY, write('one'));
  assert.is(await store.fetch(KEY), folder);
  assert.is(await store.fetch(sha256('missing')), undefined);
});

test('a process id that now belongs to another process holds nothing', async () => {
  await leaveLock({ pid: process.ppid, host: hostname(), started: 'long ago' });
  assert.ok((await open().compute('fit', KEY, write('one'))).computed);
});

test('a lock that says nothing readable, and one without owner, hold nothing', async () => {
  await leaveLock('{');
  assert.ok((await open().compute('fit', KEY, write('one'))).computed);
  await mkdir(storePlaces(root).lock(sha256('other')), { recursive: true });
  assert.ok((await open().compute('fit', sha256('other'), write('one'))).computed);
  assert.equal(await readdir(join(root, 'locks')), []);
});

test('a step whose lock was wrongly taken away does no harm: what is there first stays, and is whole', async () => {
  const store = open();
  const slow = await store.compute('fit', KEY, async (folder) => {
    await rm(storePlaces(root).lock(KEY), { recursive: true });
    const other = await open().compute('fit', KEY, write('the other'));
    assert.ok(other.computed);
    // The other took the folder of an owner without a lock for one of the past.
    await mkdir(folder, { recursive: true });
    return write('the slow one')(folder);
  });
  assert.is(await readFile(join(slow.folder, 'deep', 'value.txt'), 'utf8'), 'the other');
  assert.ok(await store.open('fit', KEY));
  assert.equal(said.length, 1);
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

test('dropped steps are computed again, but not while another process uses them', async () => {
  const store = open();
  await store.compute('fit', KEY, write('one'));
  await store.drop([
    { kind: 'fit', key: KEY },
    { kind: 'fit', key: sha256('missing') },
  ]);
  assert.not.ok(await store.has('fit', KEY));
  await store.compute('fit', KEY, write('one'));
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
  await leaveLock({ pid: child.pid!, host: hostname(), started: '', uses: [KEY] }, 'run-of-the-child');
  try {
    await store.drop([{ kind: 'fit', key: KEY }]);
    assert.unreachable();
  } catch (error) {
    assert.match(
      (error as Error).message,
      new RegExp(`process ${child.pid} on .* is using steps .*: let it end first`),
    );
  }
  assert.ok(await store.has('fit', KEY));
  child.kill('SIGKILL');
  await once(child, 'exit');
  await store.drop([{ kind: 'fit', key: KEY }]);
  assert.not.ok(await store.has('fit', KEY));
});

test('waiting ends when aborted', async () => {
  const controller = new AbortController();
  await leaveLock({ pid: 1, host: 'another-host', started: '' });
  const waiting = open().compute('fit', KEY, write('one'), { signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  try {
    await waiting;
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).name, 'AbortError');
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
