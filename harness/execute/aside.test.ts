/** @file Sides of a run in other threads: together they give what one gives, also where they share a subject. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { executePlan } from '../execute.ts';
import { openRegistry } from '../registry.ts';
import { openStore } from '../store.ts';
import { limitSuite } from '../suite/limit.ts';
import { loadSuite } from '../suite/load.ts';
import { absolutePaths } from '../suite/override.ts';
import { selectFromSuite } from '../suite/select.ts';
import { type AsideStart, workerAside } from './aside.ts';
import { prepareRun } from './prepare-run.ts';
import { noSteps } from './run-jobs.ts';

const test = suite('execute/aside');
let folder: string;
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-aside-'));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

const BOTH_SUBJECTS = ['methods=neurons'];
const ONE_SUBJECT = ['methods=neurons,random,diffmean', 'subjects=tiny-clip', 'sites=vision.embed'];

/** A small run of the default suite, of both embedded subjects if not said otherwise. */
async function smallRun(
  out: string,
  makeAside?: (setting: Parameters<typeof workerAside>[0]) => AsideStart,
  { abort = false, only = BOTH_SUBJECTS } = {},
) {
  const { suite: loaded, baseDir } = await loadSuite('default');
  const wanted = selectFromSuite(absolutePaths(loaded, baseDir), ['tasks=monosemanticity', ...only]);
  const registry = openRegistry();
  const { plan, backend, provenance } = await prepareRun(limitSuite(wanted, 4), registry, {
    backend: 'wasm',
    limited: true,
    passed: [],
    settings: {},
    say: () => {},
  });
  const store = openStore(join(out, 'store'), () => {});
  const start = makeAside?.({ out, storeRoot: store.root, run: provenance, backend: backend.name, plugins: [] });
  const controller = new AbortController();
  if (abort) setTimeout(() => controller.abort(), 50);
  return await executePlan(plan, {
    registry,
    store,
    out,
    run: provenance,
    signal: controller.signal,
    showProgress: false,
    ...(start ? { aside: { threads: 1, start } } : {}),
    say: () => {},
  });
}

for (const [what, only] of [
  ['both subjects', BOTH_SUBJECTS],
  ['one subject', ONE_SUBJECT],
] as const) {
  test(`${what}: a worker thread and this one together give what one thread gives`, async () => {
    const alone = await smallRun(join(folder, 'alone'), undefined, { only: [...only] });
    const together = await smallRun(join(folder, 'together'), workerAside, { only: [...only] });
    assert.equal(together.failures, []);
    assert.equal(together.computed, alone.computed);
    const rows = ({ results }: typeof alone) =>
      results.map(({ subject, site, method, rows }) => [subject.id, site.name, method.name, rows]);
    assert.equal(rows(together), rows(alone));
    assert.is(new Set(together.results.map(({ subject }) => subject.id)).size, what === 'one subject' ? 1 : 2);
  });
}

test('what failed aside is heard', async () => {
  const failing: AsideStart = async ({ side }) => ({
    computed: noSteps(),
    failures: [{ label: `side ${side}`, error: new Error('aside') }],
  });
  const { failures, results } = await smallRun(join(folder, 'failing'), () => failing);
  assert.equal(
    failures.map(({ label, error }) => `${label}: ${(error as Error).message}`),
    ['side 1: aside'],
  );
  assert.ok(results.length > 0);
});

test('a side that breaks off stops the run with its reason', async () => {
  const broken: AsideStart = async () => {
    throw new Error('a thread died');
  };
  try {
    await smallRun(join(folder, 'broken'), () => broken);
    assert.unreachable('the broken side was not heard');
  } catch (error) {
    assert.is((error as Error).message, 'a thread died');
  }
});

test('an abort stops both sides', async () => {
  try {
    await smallRun(join(folder, 'aborted'), workerAside, { abort: true });
    assert.unreachable('the abort was not heard');
  } catch (error) {
    assert.is((error as Error).name, 'AbortError');
  }
});

test.run();
