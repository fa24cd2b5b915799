/** @file Locks of steps as leases: dead holders are forgotten, living ones waited for, sleepers lose nothing. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../io/hash.ts';
import { openStore, storePlaces } from '../store.ts';
import type { Holder } from './holder.ts';

const test = suite('store/lease');
const KEY = sha256('step');

let root: string;
let said: string[];
const open = () => openStore(root, (line) => said.push(line));
const write = (text: string) => async (folder: string) => {
  await mkdir(join(folder, 'deep'), { recursive: true });
  await writeFile(join(folder, 'deep', 'value.txt'), text);
  return { text };
};

test.before.each(async () => {
  root = await mkdtemp(join(tmpdir(), 'saxbench-lease-'));
  said = [];
});
test.after.each(() => rm(root, { recursive: true, force: true }));

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

test('who slept through its lease while it wrote checksums puts no empty step in place', async () => {
  const { lock } = storePlaces(root);
  let attempts = 0;
  const step = await open().compute('fit', KEY, async (folder) => {
    await write('whole')(folder);
    if (attempts++ > 0) return {};
    return {
      get text() {
        // Another host takes lease and folder.
        rmSync(lock(KEY), { recursive: true, force: true });
        rmSync(folder, { recursive: true, force: true });
        return 'lost';
      },
    };
  });
  assert.equal([attempts, step.computed], [2, true]);
  assert.ok(await open().open('fit', KEY));
  assert.equal(await readdir(join(root, 'partial')), []);
});

test('a lock that cannot be read is not taken away', async () => {
  const folder = storePlaces(root).lock(KEY);
  await mkdir(folder, { recursive: true });
  // Stands for a file of another person, or too many open ones.
  await symlink('loop', join(folder, 'loop'));
  await open()
    .compute('fit', KEY, write('one'))
    .then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, /^cannot read the lock .*loop \(ELOOP\)/),
    );
  assert.equal(await readdir(folder), ['loop']);
});

test('a process id that now belongs to another process holds nothing', async () => {
  await leaveLock({ pid: process.ppid, host: hostname(), started: 'long ago' });
  assert.ok((await open().compute('fit', KEY, write('one'))).computed);
});

test('a lock that says nothing readable, and one without owner, hold nothing', async () => {
  for (const text of ['{', 'null']) {
    await leaveLock(text);
    assert.ok((await open().compute('fit', KEY, write('one'))).computed);
    await open().drop([{ kind: 'fit', key: KEY }]);
  }
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

test.run();
