/** @file Kept replies: asked once, by judge and options; a failure is not kept, damage is said and asked for again. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PruneRules, planPrune, prune } from './prune.ts';
import { openReplies } from './replies.ts';
import { listReplies } from './reply-files.ts';

const test = suite('store/replies');
let root: string;
test.before.each(() => {
  root = mkdtempSync(join(tmpdir(), 'saxbench-replies-'));
});
test.after.each(() => rmSync(root, { recursive: true }));

const JUDGE = { id: 'llm', version: 1, options: { model: 'a' } };
const files = () =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(root, name));

test('asked once for the same judge, options and request, also in a later run and at the same time', async () => {
  let asked = 0;
  const ask = async () => ({ grade: ++asked });
  const open = () => openReplies(root, assert.unreachable);
  const first = open()(JUDGE);
  const both = await Promise.all([first.once({ text: 'x' }, ask), first.once({ text: 'x' }, ask)]);
  assert.equal(both, [{ grade: 1 }, { grade: 1 }]);
  assert.equal(await open()(JUDGE).once({ text: 'x' }, ask), { grade: 1 });
  await open()(JUDGE).once({ text: 'y' }, ask);
  await open()({ ...JUDGE, options: { model: 'b' } }).once({ text: 'x' }, ask);
  await open()({ ...JUDGE, version: 2 }).once({ text: 'x' }, ask);
  assert.is(asked, 4);
});

test('of two processes that ask the same at the same time both go by the reply that is kept', async () => {
  const [one, other] = [openReplies(root, assert.unreachable)(JUDGE), openReplies(root, assert.unreachable)(JUDGE)];
  const slow = one.once('x', async () => {
    await other.once('x', async () => 'first');
    return 'second';
  });
  assert.is(await slow, 'first');
  assert.is(await openReplies(root, assert.unreachable)(JUDGE).once('x', async () => assert.unreachable()), 'first');
});

test('a failure is not kept, nor is what is no JSON', async () => {
  const { once } = openReplies(root, assert.unreachable)(JUDGE);
  const fails = (ask: () => Promise<unknown>) =>
    once('x', ask).then(
      () => 'nothing was thrown',
      (error: Error) => error.message,
    );
  assert.is(await fails(() => Promise.reject(new Error('429'))), '429');
  assert.match(await fails(async () => ({ grade: Number.NaN })), /judge llm: reply/);
  assert.equal(files(), []);
  assert.is(await once('x', async () => 5), 5);
});

test('a reply that was cut or edited is said, and asked for again', async () => {
  const said: string[] = [];
  const replies = () => openReplies(root, (line) => said.push(line))(JUDGE);
  await replies().once('x', async () => 1);
  const [file] = files() as [string];
  const whole = readFileSync(file, 'utf8');
  for (const damaged of [
    whole.slice(0, 9),
    whole.replace('"reply": 1', '"reply": 2').replace('"reply":1', '"reply":2'),
  ]) {
    writeFileSync(file, damaged);
    assert.is(await replies().once('x', async () => 1), 1);
    assert.match(said.pop()!, /^store: the reply .* is damaged or of another request; it is asked for again\.$/);
  }
  assert.is(await replies().once('x', async () => assert.unreachable()), 1);
  assert.equal(said, []);
});

test('a reply copied to the place of another request or judge is said, and asked for again', async () => {
  const said: string[] = [];
  const of = (judge: typeof JUDGE) => openReplies(root, (line) => said.push(line))(judge);
  await of(JUDGE).once('x', async () => 1);
  const [first] = files() as [string];
  const other = { ...JUDGE, options: { model: 'b' } };
  for (const [judge, request] of [
    [JUDGE, 'y'],
    [other, 'x'],
  ] as const) {
    const known = files();
    await of(judge).once(request, async () => 2);
    const place = files().find((file) => !known.includes(file))!;
    writeFileSync(place, readFileSync(first));
    assert.is(await of(judge).once(request, async () => 2), 2);
    assert.match(said.pop()!, /is damaged or of another request/);
  }
  assert.is(await of(JUDGE).once('x', async () => assert.unreachable()), 1);
  assert.equal(said, []);
});

/** Two replies of one judge and one of another, the first last used 40 days ago. */
async function threeReplies(): Promise<string[]> {
  const open = openReplies(root, assert.unreachable);
  await open(JUDGE).once({ text: 'x' }, async () => 1);
  const [first] = files();
  const old = Date.now() / 1000 - 40 * 86_400;
  utimesSync(first!, old, old);
  await open(JUDGE).once({ text: 'y' }, async () => 2);
  await open({ ...JUDGE, id: 'other' }).once({ text: 'x' }, async () => 3);
  return [first!, ...files().filter((file) => file !== first)];
}

test('the store lists replies by judge, and finds those that are damaged, foreign or left unfinished', async () => {
  const [, second, third] = (await threeReplies()) as [string, string, string];
  const damaged = async () =>
    (await listReplies(root, true)).flatMap(({ path, damage }) => (damage === undefined ? [] : [[path, damage]]));
  assert.equal(
    (await listReplies(root, false)).map(({ judge }) => judge),
    ['llm', 'llm', 'other'],
  );
  assert.equal(await damaged(), []);
  writeFileSync(second, readFileSync(second, 'utf8').replace('"y"', '"z"'));
  writeFileSync(join(dirname(third), 'note.txt'), '');
  writeFileSync(join(dirname(third), '.being-written.json.1.1.tmp'), '');
  const left = join(dirname(third), '.left.json.1.1.tmp');
  writeFileSync(left, '');
  const old = Date.now() / 1000 - 2 * 86_400;
  utimesSync(left, old, old);
  assert.equal(
    (await damaged()).sort(),
    [
      [second, 'its checksum is not that of its content and place'],
      [left, 'left unfinished'],
      [join(dirname(third), 'note.txt'), 'not a reply'],
    ].sort(),
  );
  assert.equal(await listReplies(join(root, 'nowhere'), true), []);
});

test('pruning takes damaged replies and, by age, unused ones; results and sizes say nothing about replies', async () => {
  const [first, second] = (await threeReplies()) as [string, string, string];
  const chosen = async (rules: PruneRules) =>
    (await planPrune(root, rules, Date.now())).replies.map(({ file }) => file.path);
  assert.equal(await chosen({}), []);
  assert.equal(await chosen({ referenced: new Set(), maxBytes: 0 }), []);
  assert.equal(await chosen({ olderThan: 30 * 86_400_000 }), [first]);
  await openReplies(root, assert.unreachable)(JUDGE).once({ text: 'x' }, async () => assert.unreachable());
  assert.equal(await chosen({ olderThan: 30 * 86_400_000 }), [], 'reading is a use');
  writeFileSync(second, '{');
  const plan = await planPrune(root, {}, Date.now());
  assert.equal([plan.replies.length, plan.keptReplies], [1, 2]);
  assert.is(await prune(root, plan), 1);
  assert.equal(existsSync(second), false);
});

test.run();
