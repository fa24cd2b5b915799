/** @file A run in several threads: together they give what one gives, also where they share a subject. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { executePlan, exitCodeOf } from '../execute.ts';
import { openRegistry } from '../registry.ts';
import { openStore } from '../store.ts';
import { limitSuite } from '../suite/limit.ts';
import { loadSuite } from '../suite/load.ts';
import { absolutePaths } from '../suite/override.ts';
import { selectFromSuite } from '../suite/select.ts';
import { prepareRun } from './run.ts';
import { threads } from './threads.ts';

const test = suite('execute/threads');
let folder: string;
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-threads-'));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

const BOTH_SUBJECTS = ['methods=neurons'];
const ONE_SUBJECT = ['methods=neurons,random,diffmean', 'subjects=tiny-clip', 'sites=vision.embed'];

/** A small run of the default suite, of both embedded subjects if not said otherwise. */
async function smallRun(
  out: string,
  count: number,
  { abort = false, only = BOTH_SUBJECTS, backend = 'wasm', plugins = [] as string[] } = {},
) {
  const { suite: loaded, baseDir } = await loadSuite('default');
  const wanted = selectFromSuite(absolutePaths(loaded, baseDir), ['tasks=monosemanticity', ...only]);
  const registry = openRegistry();
  const { plan, places, provenance } = await prepareRun(limitSuite(wanted, 4), registry, {
    backend: 'wasm',
    limited: true,
    passed: [],
    settings: {},
    say: () => {},
  });
  const store = openStore(join(out, 'store'), () => {});
  const controller = new AbortController();
  if (abort) setTimeout(() => controller.abort(), 50);
  const run = { registry, store, places, out, provenance, signal: controller.signal, say: () => {} };
  return await executePlan(plan, run, { showProgress: false, executor: threads({ threads: count, backend, plugins }) });
}

for (const [what, only] of [
  ['both subjects', BOTH_SUBJECTS],
  ['one subject', ONE_SUBJECT],
] as const) {
  test(`${what}: two threads together give what one gives`, async () => {
    const alone = await smallRun(join(folder, 'alone'), 1, { only: [...only] });
    const together = await smallRun(join(folder, 'together'), 2, { only: [...only] });
    assert.equal(together.failures, []);
    assert.equal(together.computed, alone.computed);
    const rows = ({ results }: typeof alone) =>
      results.map(({ subject, site, method, rows }) => [subject.id, site.name, method.name, rows]);
    assert.equal(rows(together), rows(alone));
    assert.is(new Set(together.results.map(({ subject }) => subject.id)).size, what === 'one subject' ? 1 : 2);
  });
}

test('what failed in a thread is heard, as of this class', async () => {
  const only = ['methods=neurons,random', 'subjects=tiny-clip', 'sites=vision.embed'];
  const run = await smallRun(join(folder, 'failing'), 1, { only });
  assert.equal(run.failures, []);
  // A file lies where the steps would be made anew.
  await rm(join(folder, 'failing/results'), { recursive: true });
  await rm(join(folder, 'failing/store/steps/evaluate'), { recursive: true });
  await writeFile(join(folder, 'failing/store/steps/evaluate'), '');
  const { failures, failed } = await smallRun(join(folder, 'failing'), 2, { only });
  assert.is(exitCodeOf(failures), 2, 'faults of the user');
  assert.equal([failures.length, failed.length], [2, 2]);
  for (const { error } of failures) {
    assert.match((error as Error).message, /^cannot write .*: a part of the path is a file, not a folder/);
  }
});

test('a thread that cannot begin stops the run with its reason', async () => {
  try {
    await smallRun(join(folder, 'broken'), 2, { plugins: [join(folder, 'gone.ts')] });
    assert.unreachable('the broken thread was not heard');
  } catch (error) {
    assert.match((error as Error).message, /gone\.ts/);
  }
});

test('an abort stops all threads', async () => {
  try {
    await smallRun(join(folder, 'aborted'), 2, { abort: true });
    assert.unreachable('the abort was not heard');
  } catch (error) {
    assert.is((error as Error).name, 'AbortError');
  }
});

test.run();
