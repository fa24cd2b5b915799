/** @file Parts of a run in another thread: which, and that both sides together give what one gives. */
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
import { type Aside, cellsAside, workerAside } from './aside.ts';
import { prepareRun } from './prepare-run.ts';

const test = suite('execute/aside');
let folder: string;
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-aside-'));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

type Cells = Parameters<typeof cellsAside>[0];

test('whole subjects go aside, so that both sides have about as much to do', () => {
  const missing = new Map();
  const cell = (id: string, site: string, evaluations: number) => {
    const fit = {};
    missing.set(fit, new Array(evaluations));
    return { subject: { id }, site, fits: [fit, {}] };
  };
  const cells = [cell('a', 'x', 3), cell('b', 'x', 4), cell('a', 'y', 3), cell('c', 'x', 5)] as unknown as Cells;
  const names = cellsAside(cells, missing).map(({ subject, site }) => `${subject.id}${site}`);
  assert.equal(names.sort(), ['bx', 'cx']);
  assert.equal(cellsAside(cells.slice(0, 1), missing), []);
});

/** A small run of both embedded subjects on neurons. */
async function smallRun(out: string, makeAside?: (task: Parameters<typeof workerAside>[0]) => Aside, abort = false) {
  const { suite: loaded, baseDir } = await loadSuite('default');
  const wanted = selectFromSuite(absolutePaths(loaded, baseDir), ['methods=neurons', 'tasks=monosemanticity']);
  const registry = openRegistry();
  const { plan, backend, provenance } = await prepareRun(limitSuite(wanted, 4), registry, {
    backend: 'wasm',
    limited: true,
    passed: [],
    settings: {},
  });
  const store = openStore(join(out, 'store'), () => {});
  const aside = makeAside?.({ out, storeRoot: store.root, run: provenance, backend: backend.name, plugins: [] });
  const controller = new AbortController();
  if (abort) setTimeout(() => controller.abort(), 50);
  return await executePlan(plan, {
    registry,
    store,
    out,
    run: provenance,
    signal: controller.signal,
    showProgress: false,
    ...(aside ? { aside } : {}),
    say: () => {},
  });
}

test('a worker thread and this one together give what one thread gives', async () => {
  const alone = await smallRun(join(folder, 'alone'));
  const together = await smallRun(join(folder, 'together'), workerAside);
  assert.equal(together.failures, []);
  assert.equal(together.computed, alone.computed);
  const rows = ({ results }: typeof alone) => results.map(({ subject, site, rows }) => [subject.id, site.name, rows]);
  assert.equal(rows(together), rows(alone));
  assert.ok(new Set(together.results.map(({ subject }) => subject.id)).size === 2);
});

test('what goes wrong aside is heard, and an abort stops both sides', async () => {
  const failing: Aside = async (plan) => ({
    computed: { activations: 0, fit: 0, prepare: 0, evaluate: 0 },
    failures: [{ label: plan.cells[0]!.subject.id, error: new Error('aside') }],
  });
  const { failures, results } = await smallRun(join(folder, 'failing'), () => failing);
  assert.equal(
    failures.map(({ error }) => (error as Error).message),
    ['aside'],
  );
  assert.ok(results.length > 0);
  try {
    await smallRun(join(folder, 'aborted'), workerAside, true);
    assert.unreachable('the abort was not heard');
  } catch (error) {
    assert.is((error as Error).name, 'AbortError');
  }
});

test.run();
