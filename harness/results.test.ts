/** @file Results: what would mislead is refused by name; what is written comes back. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MetricDefinition } from './contract/task.ts';
import {
  checkedRows,
  readResult,
  refuseNonFinite,
  resultFile,
  resultFiles,
  storedResult,
  writeResult,
} from './results.ts';
import type { Result } from './schema/result.generated.ts';
import { rejection } from './testing/failing.ts';

const test = suite('results');
const metrics: Record<string, MetricDefinition> = {
  auroc: { description: 'd', direction: 'max', range: [0, 1], unit: '', main: true, version: 2 },
  loss: { description: 'd', direction: 'min', range: [null, null], unit: 'nats' },
};
const rows = (values: Record<string, unknown>) =>
  checkedRows({ rows: [{ axes: { selection: 'label' }, metrics: values as never }] }, metrics, 'task t');

const HASH = 'a'.repeat(64);
const result = (): Result => ({
  schema: 2,
  key: HASH,
  suite: { id: 's', title: 'S' },
  subject: { id: 'lm', fingerprint: HASH, family: 'llama', modality: 'text', parameters: 10 },
  site: { name: 'blocks.0.hook_resid_post', d_in: 4, kind: 'tokens' },
  dataset: { id: 'd', fingerprint: 'f', options: {}, policy: 'all', trainRows: 5, testRows: 5 },
  method: {
    id: 'topk',
    kind: 'sae',
    name: 'topk-4',
    title: 'T',
    version: 1,
    control: false,
    options: {},
    optionsPassed: {},
    identity: HASH,
  },
  task: { id: 't', title: 'T', version: 1, options: {}, axes: {} },
  seed: 3,
  settings: { row: HASH, table: HASH },
  limited: false,
  rows: rows({ auroc: { value: 0.5, ci95: [0.4, 0.6], n: 10 } }),
  provenance: {
    saxbench: '0.1.0',
    node: 'v20',
    tfjs: '4',
    backend: { name: 'cpu', device: 'd', version: '4', detail: '' },
    platform: 'p',
    cpu: 'c',
    arguments: { passed: [], resolved: {} },
    steps: { fit: HASH },
    seconds: { fit: 1 },
  },
});

let out: string;
test.before.each(async () => {
  out = await mkdtemp(join(tmpdir(), 'saxbench-results-'));
});
test.after.each(() => rm(out, { recursive: true, force: true }));

test('metrics get what their declaration says', () => {
  assert.equal(rows({ auroc: { value: 0.5, ci95: [0.4, 0.6], n: 10 } })[0]!.metrics['auroc'], {
    ...{ value: 0.5, ci95: [0.4, 0.6], n: 10, unit: '', direction: 'max', range: [0, 1], main: true, version: 2 },
  });
  const empty = rows({ loss: { value: null, ci95: null, n: 0, reason: 'no decoder' } })[0]!.metrics['loss']!;
  assert.is(empty.reason, 'no decoder');
});

test('a rounding error beyond the range passes, a real one does not', () => {
  rows({ auroc: { value: 1 + 1e-9, ci95: null, n: 1 } });
  assert.throws(
    () => rows({ auroc: { value: 1.01, ci95: null, n: 1 } }),
    /'auroc': expected a value in \[0, 1\]; found 1.01/,
  );
  assert.throws(() => rows({ auroc: { value: 0.5, ci95: [-0.2, 1], n: 1 } }), /found -0.2/);
});

test('NaN, infinities, undeclared metrics and unexplained gaps are refused', () => {
  assert.throws(
    () => rows({ loss: { value: Number.NaN, ci95: null, n: 1 } }),
    /row 0 .*'loss': expected a finite number; found NaN/,
  );
  assert.throws(() => rows({ loss: { value: 1, ci95: [0, Infinity], n: 1 } }), /found Infinity/);
  assert.throws(
    () => rows({ f1: { value: 1, ci95: null, n: 1 } }),
    /'f1': not declared; the task declares auroc, loss/,
  );
  assert.throws(() => rows({ loss: { value: null, ci95: null, n: 0 } }), /an empty cell needs a reason/);
  assert.throws(() => rows({ loss: { value: 1, ci95: null, n: 1.5 } }), /n: expected a count; found 1.5/);
  assert.throws(
    () => refuseNonFinite({ curves: { roc: { y: [0, Number.NaN] } } }, 'r'),
    /r\.curves\.roc\.y\.1: .* found NaN/,
  );
});

test('written, found again by key, listed', async () => {
  const file = await writeResult(out, result());
  const place = {
    subject: 'lm',
    site: 'blocks.0.hook_resid_post',
    method: 'topk-4',
    identity: HASH,
    task: 't',
    seed: 3,
  };
  assert.is(file, resultFile(out, place));
  assert.ok(file.endsWith('results/lm/blocks.0.hook_resid_post/topk-4-aaaaaaaa/t/seed-3.json'));
  assert.equal(await readResult(file), result());
  assert.ok(await storedResult(out, place, HASH));
  assert.is(await storedResult(out, place, 'b'.repeat(64)), undefined);
  assert.equal(await resultFiles(out), [file]);
});

test('a result of another version of the format is refused with its age, in one line', async () => {
  const file = join(out, 'old.json');
  for (const [schema, age] of Object.entries({ 1: 'an older', 3: 'a newer' })) {
    await writeFile(file, JSON.stringify({ ...result(), schema: Number(schema) }));
    const { name, message } = await rejection(readResult(file));
    assert.is(name, 'UserError');
    assert.match(message, new RegExp(`old\\.json: schema: expected 2, found ${schema}: written by ${age} saxbench`));
  }
});

test('a damaged result counts as missing', async () => {
  const file = await writeResult(out, result());
  await writeFile(file, '{"schema":1');
  const place = {
    subject: 'lm',
    site: 'blocks.0.hook_resid_post',
    method: 'topk-4',
    identity: HASH,
    task: 't',
    seed: 3,
  };
  assert.is(await storedResult(out, place, HASH), undefined);
});

test('a result that is none is refused on writing and on reading', async () => {
  const wrong = { ...result(), sede: 3 };
  for (const attempt of [
    () => writeResult(out, wrong),
    async () => {
      const file = join(out, 'wrong.json');
      await writeFile(file, JSON.stringify(wrong));
      await readResult(file);
    },
  ]) {
    try {
      await attempt();
      assert.unreachable();
    } catch (error) {
      assert.match((error as Error).message, /has an unknown key 'sede'\. Did you mean: seed, site\?/);
    }
  }
});

test.run();
