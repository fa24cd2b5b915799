/** @file Showing, pruning and checking a store: by age, size and results; nothing that a living process uses. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../io/hash.ts';
import type { StepKind } from '../plan.ts';
import { openStore, storePlaces } from '../store.ts';
import { listLeftovers, listSteps, missingInputs } from './inventory.ts';
import { type PrunePlan, type PruneRules, planPrune, prune } from './prune.ts';

const test = suite('store/prune');
const DAY = 24 * 3_600_000;
const [ACTS, FIT, OTHER] = ['acts', 'fit', 'other'].map(sha256) as [string, string, string];

let root: string;
test.before.each(async () => {
  root = mkdtempSync(join(tmpdir(), 'saxbench-prune-'));
  await make('activations', ACTS, 3000, 40);
  await make('fit', FIT, 2000, 20, [ACTS]);
  await make('fit', OTHER, 1000, 2);
});
test.after.each(() => rmSync(root, { recursive: true, force: true }));

async function make(kind: StepKind, key: string, bytes: number, ageDays: number, inputs: string[] = []): Promise<void> {
  const { folder } = await openStore(root, () => {}).compute(
    kind,
    key,
    async (own) => {
      writeFileSync(join(own, 'data'), new Uint8Array(bytes));
      return {};
    },
    { inputs, label: `${kind} of ${bytes}` },
  );
  const used = (Date.now() - ageDays * DAY) / 1000;
  utimesSync(join(folder, 'manifest.json'), used, used);
}

const chosen = async (rules: PruneRules) =>
  (await planPrune(root, rules, Date.now())).steps.map(({ entry }) => entry.key);

test('steps have a name, a size, inputs and a time of use', async () => {
  const steps = await listSteps(root, true);
  assert.equal(
    steps.map(({ label, key }) => [label, key]),
    [
      ['activations of 3000', ACTS],
      ...[FIT, OTHER].sort().map((key) => [key === FIT ? 'fit of 2000' : 'fit of 1000', key]),
    ],
  );
  assert.ok(steps.every(({ bytes }) => bytes > 1000 && bytes < 5000));
  assert.equal(missingInputs(steps), []);
});

test('opening a step is a use of it', async () => {
  await openStore(root, () => {}).open('activations', ACTS);
  assert.equal(await chosen({ olderThan: 30 * DAY }), []);
});

test('by age, by size, by results; nothing without a rule', async () => {
  assert.equal(await chosen({}), []);
  assert.equal(await chosen({ olderThan: 30 * DAY }), [ACTS]);
  assert.equal((await chosen({ olderThan: 10 * DAY })).sort(), [ACTS, FIT].sort());
  assert.equal(await chosen({ maxBytes: 5000 }), [ACTS]);
  assert.equal((await chosen({ maxBytes: 0 })).length, 3);
  assert.equal(await chosen({ maxBytes: 1e9 }), []);
  assert.equal(await chosen({ referenced: new Set([ACTS, FIT]) }), [OTHER]);
});

test('what a result came from stays, though the result names the last step only', async () => {
  const scored = sha256('evaluate');
  await make('evaluate', scored, 100, 1, [FIT]);
  assert.equal(await chosen({ referenced: new Set([scored]) }), [OTHER]);
});

test('pruned steps are gone, the others whole, and what they were made from is named', async () => {
  const freed = await prune(root, await planPrune(root, { olderThan: 30 * DAY }, Date.now()));
  assert.ok(freed > 3000);
  const steps = await listSteps(root, true);
  assert.equal(steps.map(({ key }) => key).sort(), [FIT, OTHER].sort());
  assert.equal(
    missingInputs(steps).map(({ entry, missing }) => [entry.key, missing]),
    [[FIT, [ACTS]]],
  );
  assert.equal(await listLeftovers(root), []);
});

function leaveLock(name: string, holder: object): string {
  const folder = storePlaces(root).lock(name);
  const id = randomUUID();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, id), JSON.stringify({ pid: process.ppid, host: hostname(), started: '', ...holder }));
  return id;
}

test('a step that a living process computes or uses stays, with its unfinished folder', async () => {
  const id = leaveLock(ACTS, {});
  leaveLock('run-of-another', { uses: [FIT] });
  const busy = join(storePlaces(root).partial, `${ACTS}.${id}`);
  const dead = join(storePlaces(root).partial, `${ACTS}.${randomUUID()}`);
  for (const folder of [busy, dead]) {
    mkdirSync(folder, { recursive: true });
    utimesSync(folder, 1, 1);
  }
  leaveLock('run-of-the-dead', { pid: 1, started: 'long ago', uses: [OTHER] });
  utimesSync(storePlaces(root).lock('run-of-the-dead'), 1, 1);
  const plan = await planPrune(root, { maxBytes: 0 }, Date.now());
  assert.equal(
    plan.steps.map(({ entry }) => entry.key),
    [OTHER],
  );
  assert.equal(plan.inUse.map(({ key }) => key).sort(), [ACTS, FIT].sort());
  await prune(root, plan);
  assert.ok(existsSync(busy));
  assert.not.ok(existsSync(dead));
  assert.not.ok(existsSync(storePlaces(root).lock('run-of-the-dead')));
  assert.equal((await listSteps(root, true)).map(({ key }) => key).sort(), [ACTS, FIT].sort());
});

test('what a process takes up after the plan was made stays', async () => {
  const plan = await planPrune(root, { maxBytes: 0 }, Date.now());
  leaveLock(FIT, {});
  leaveLock('run-of-another', { uses: [ACTS] });
  await prune(root, plan);
  assert.equal((await listSteps(root, true)).map(({ key }) => key).sort(), [ACTS, FIT].sort());
});

/** A plan that is told of each leftover before and after it is removed. */
function watched(plan: PrunePlan, before: (path: string) => void, after: (path: string) => void): PrunePlan {
  function* leftovers() {
    for (const each of plan.leftovers) {
      before(each.path);
      yield each;
      after(each.path);
    }
  }
  return { ...plan, leftovers: leftovers() as unknown as PrunePlan['leftovers'] };
}

test('a lock that a process takes while others are removed stays', async () => {
  const path = storePlaces(root).lock(FIT);
  leaveLock(FIT, { pid: 1, started: 'long ago' });
  let living = '';
  const plan = watched(
    await planPrune(root, {}, Date.now() + 2 * DAY),
    () => {
      rmSync(path, { recursive: true });
      living = leaveLock(FIT, {});
    },
    () => {},
  );
  await prune(root, plan);
  assert.ok(existsSync(join(path, living)));
});

test('who slept through its lease finds no lock once its folder is gone', async () => {
  const { partial, lock } = storePlaces(root);
  const id = leaveLock(FIT, { host: 'another-host' });
  const lease = join(lock(FIT), id);
  utimesSync(lease, 1, 1);
  const folder = join(partial, `${FIT}.${id}`);
  mkdirSync(folder, { recursive: true });
  // As an older version left it.
  writeFileSync(lock('file'), '');
  const seen: boolean[] = [];
  const plan = watched(
    await planPrune(root, {}, Date.now() + 2 * DAY),
    () => {},
    () => seen.push(existsSync(lease) && !existsSync(folder)),
  );
  assert.is(plan.steps.length, 0);
  await prune(root, plan);
  assert.equal([...new Set(seen)], [false]);
  assert.equal(await listLeftovers(root), []);
});

test('an interrupted training is kept for a day', async () => {
  const left = join(storePlaces(root).partial, `${sha256('training')}.${randomUUID()}`);
  mkdirSync(left, { recursive: true });
  const paths = async (now: number) => (await planPrune(root, {}, now)).leftovers.map(({ path }) => path);
  assert.equal(await paths(Date.now()), []);
  assert.equal(await paths(Date.now() + 2 * DAY), [left]);
});

test('damage of every kind is found, and pruned in any case', async () => {
  const { step } = storePlaces(root);
  writeFileSync(join(step('fit', FIT), 'data'), new Uint8Array(2000).fill(1));
  const deep = (await listSteps(root, true)).filter(({ damage }) => damage !== undefined);
  assert.equal(
    deep.map(({ key, damage }) => [key, damage]),
    [[FIT, 'data has another checksum']],
  );
  rmSync(join(step('fit', OTHER), 'data'));
  assert.equal(await chosen({}), [OTHER]);
  assert.equal(await listSteps(join(root, 'nothing-there'), true), []);
});

test.run();
