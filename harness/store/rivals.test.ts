/** @file Six processes want the same steps, whose locks were left by a dead one: each is computed once, by one of them. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../io/hash.ts';
import { openStore, storePlaces } from '../store.ts';
import type { RivalReport } from '../testing/store-rival.ts';

const test = suite('store/rivals');
const PROCESSES = 6;
/** Rounds, several at a time: whoever waits for another process looks again four times a second. */
const [BATCHES, AT_ONCE] = [5, 20];

const root = mkdtempSync(join(tmpdir(), 'saxbench-rivals-'));
const rivals: ChildProcess[] = [];
test.after(() => {
  for (const rival of rivals) rival.kill();
  rmSync(root, { recursive: true });
});

/** A lock of a process that is no more. */
function leaveDeadLock(key: string): void {
  const folder = storePlaces(root).lock(key);
  mkdirSync(folder, { recursive: true });
  const dead = { pid: process.pid, host: hostname(), started: 'long ago', run: 'another' };
  writeFileSync(join(folder, randomUUID()), JSON.stringify(dead));
}

test(`${BATCHES * AT_ONCE} rounds: nothing is computed twice, no step has two writers`, async () => {
  const script = new URL('../testing/store-rival.ts', import.meta.url).pathname;
  for (let i = 0; i < PROCESSES; i++) rivals.push(fork(script, [root], { execArgv: ['--import', 'tsx'] }));
  await Promise.all(rivals.map((rival) => once(rival, 'message')));
  const wrong: string[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const keys = Array.from({ length: AT_ONCE }, (_, i) => sha256(`round ${batch} ${i}`));
    for (const key of keys) leaveDeadLock(key);
    const answers = rivals.map((rival) => once(rival, 'message') as Promise<[RivalReport[]]>);
    for (const rival of rivals) rival.send(keys);
    const reports = (await Promise.all(answers)).flatMap(([report]) => report);
    for (const key of keys) {
      const of = reports.filter((report) => report.key === key);
      const times = of.filter(({ computed }) => computed).length;
      if (times !== 1) wrong.push(`computed ${times} times`);
      if (new Set(of.flatMap(({ writers, writer }) => [...writers, writer])).size !== 1) wrong.push('two writers');
      if (!(await openStore(root, (line) => wrong.push(line)).open('fit', key))) wrong.push('damaged');
    }
  }
  assert.equal(wrong, []);
  assert.equal(readdirSync(join(root, 'locks')), []);
  assert.equal(readdirSync(join(root, 'partial')), []);
});

test.run();
