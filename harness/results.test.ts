/** @file Results: what would mislead is refused by name; what is written comes back. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MetricDefinition } from './contract/task.ts';
import { UserError } from './errors.ts';
import { refuseNonFinite } from './io/non-finite.ts';
import { checkedRows, definitionsOf } from './results/rows.ts';
import { readResult, resultFile, resultFiles, sealed, storedResult, writeResult } from './results.ts';
import type { Result } from './schema/result.generated.ts';

const test = suite('results');
const metrics: Record<string, MetricDefinition> = {
  auroc: { description: 'd', direction: 'max', range: [0, 1], unit: '', main: true, version: 2 },
  loss: { description: 'd', direction: 'min', range: [null, null], unit: 'nats' },
};
const rows = (values: Record<string, unknown>) =>
  checkedRows(
    {
      rows: [
        {
          axes: { selection: 'label' },
          metrics: values as never,
          unavailable: { auroc: 'left out', loss: 'left out' },
        },
      ],
    },
    metrics,
    'task t',
  );

const HASH = 'a'.repeat(64);
const result = (): Result => ({
  schema: 3,
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
  task: { id: 't', title: 'T', version: 1, options: {}, axes: {}, metrics: definitionsOf(metrics) },
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

test('what a metric is stands once in a result', () => {
  const auroc = { value: 0.5, ci95: [0.4, 0.6], n: 10 };
  assert.equal(rows({ auroc })[0]!.metrics['auroc'], auroc);
  const definition = {
    description: metrics['auroc']!.description,
    unit: '',
    direction: 'max',
    range: [0, 1],
    main: true,
    version: 2,
  };
  assert.equal(definitionsOf(metrics)['auroc'], definition);
  const empty = rows({ loss: { value: null, ci95: null, n: 0, reason: 'no decoder' } })[0]!.metrics['loss']!;
  assert.is(empty.reason, 'no decoder');
});

test('a metric without a value needs a reason; a row has all that the task declares', () => {
  const row = { axes: {}, metrics: { auroc: { value: 0.5, ci95: null, n: 10 } } };
  assert.throws(
    () => checkedRows({ rows: [row] }, metrics, 't'),
    /'loss': expected a value, or a reason in 'unavailable'/,
  );
  const whole = checkedRows({ rows: [{ ...row, unavailable: { loss: 'no decoder' } }] }, metrics, 't');
  assert.is(whole[0]!.metrics['loss']!.value, null);
  assert.is(whole[0]!.metrics['loss']!.reason, 'no decoder');
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
  assert.throws(
    () => rows({ constructor: { value: 1, ci95: null, n: 1 } }),
    /'constructor': not declared; the task declares auroc, loss/,
  );
  assert.throws(() => rows({ loss: { value: null, ci95: null, n: 0 } }), /an empty cell needs a reason/);
  assert.throws(() => rows({ loss: { value: 1, ci95: null, n: 1.5 } }), /n: expected a count; found 1.5/);
  assert.throws(
    () => refuseNonFinite({ curves: { roc: { y: [0, Number.NaN] } } }, 'r'),
    /r\.curves\.roc\.y\.1: .* found NaN/,
  );
});

/** Where {@link result} belongs. */
const place = {
  ...{ subject: 'lm', site: 'blocks.0.hook_resid_post', method: 'topk-4', identity: HASH },
  ...{ task: 't', seed: 3 },
};

test('written, found again by key, listed', async () => {
  const file = await writeResult(out, result());
  assert.is(file, resultFile(out, place));
  assert.ok(file.endsWith('results/lm/blocks.0.hook_resid_post/topk-4-aaaaaaaa/t/seed-3.json'));
  assert.equal(await readResult(file), sealed(result()));
  assert.ok(await storedResult(out, place, HASH));
  assert.is(await storedResult(out, place, 'b'.repeat(64)), undefined);
  assert.equal(await resultFiles(out), [file]);
});

test('a subject comes before its control, whose name begins with its own', async () => {
  const { subject } = result();
  const named = async (id: string) => writeResult(out, { ...result(), subject: { ...subject, id } });
  const files = [await named('lm-random'), await named('lm.2'), await named('lm')];
  assert.equal(await resultFiles(out), [files[2]!, files[0]!, files[1]!]);
});

test('a damaged result counts as missing', async () => {
  const file = await writeResult(out, result());
  await writeFile(file, '{"schema":2');
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

/** The message that reading `edit` of a written result ends in; with the checksum made anew where `reseal` is given. */
async function complaintOf(edit: (given: Result) => Result, reseal = true): Promise<string> {
  const edited = edit(structuredClone(sealed(result())));
  const file = join(out, 'edited.json');
  await writeFile(file, JSON.stringify(reseal ? sealed(edited) : edited));
  return readResult(file).then(
    () => 'none',
    (error) => {
      assert.instance(error, UserError);
      assert.match(error.message, /^result .*edited\.json: .*\. Make it anew: saxbench run/);
      return error.message;
    },
  );
}
const withMetric = (change: Record<string, unknown>) => (given: Result) => {
  Object.assign(given.rows[0]!.metrics['auroc']!, change);
  return given;
};

test('a result that was edited is told, whatever was', async () => {
  assert.is(await complaintOf((given) => given, false), 'none');
  for (const edit of [
    withMetric({ value: 0.51 }),
    withMetric({ n: 11 }),
    (given: Result) => ({ ...given, seed: 4 }),
    (given: Result) => ({ ...given, method: { ...given.method, options: { k: 64 } } }),
    (given: Result) => ({ ...given, details: { note: 'x' } }),
  ]) {
    assert.match(await complaintOf(edit, false), /was edited: its checksum is not that of its content/);
  }
  assert.match(await complaintOf(({ checksum: _, ...given }) => given, false), /has no checksum/);
  // The order of keys is no edit.
  const reversed = (given: Result) => Object.fromEntries(Object.entries(given).reverse()) as unknown as Result;
  assert.is(await complaintOf(reversed, false), 'none');
});

test('numbers that cannot be are refused on reading, naming file, row and metric', async () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ value: 1.3, ci95: null }, /row 0 .*metric 'auroc': expected a value in \[0, 1\]; found 1\.3/],
    [{ ci95: [0.4, 1.2] }, /expected a value in \[0, 1\]; found 1\.2/],
    [{ ci95: [0.6, 0.4] }, /expected an interval from low to high; found \[0\.6,\s?0\.4\]/],
    [{ value: 0.7 }, /expected a value within its interval .*; found 0\.7/],
    [{ n: 0 }, /n: expected what the value 0\.5 is averaged over; found 0/],
    [{ n: 1 }, /an interval needs two units; found 1/],
    [{ units: 1 }, /an interval needs two units; found 1/],
    [{ value: null, ci95: null }, /an empty cell needs a reason/],
    [{ value: null, reason: 'none' }, /an empty cell has no interval/],
  ];
  for (const [change, expected] of cases) assert.match(await complaintOf(withMetric(change)), expected);
  const samples = (values: number[], ids?: string[]) => (given: Result) => {
    given.rows[0]!.samples = { unit: 'concept', values, ...(ids ? { ids } : {}) };
    return given;
  };
  assert.match(
    await complaintOf(samples([0.4, 0.5])),
    /samples: expected values whose mean is the main metric, 0\.5; found 0\.45/,
  );
  assert.match(
    await complaintOf(samples([0.4, 0.6], ['a'])),
    /samples: expected one name of its own for each of 2 values/,
  );
  assert.is(await complaintOf(samples([0.4, 0.6], ['a', 'b'])), 'none');
});

test('a number that JSON reads as infinite is told by its place', async () => {
  const given = result();
  await writeResult(out, { ...given, task: { ...given.task, options: { scale: 7777 } } });
  const [file] = await resultFiles(out);
  await writeFile(file!, (await readFile(file!, 'utf8')).replace('7777', '1e999'));
  const message = await readResult(file!).catch((error: Error) => error.message);
  assert.match(String(message), /\.task\.options\.scale: expected a finite number; found Infinity\. Make it anew/);
});

test('a result of another format is told from a damaged one', async () => {
  const at = (schema: number) => complaintOf((given) => ({ ...given, schema: schema as 3 }));
  assert.match(await at(2), /format 2, of an older saxbench; expected 3/);
  assert.match(await at(4), /format 4, of a newer saxbench; expected 3/);
});

test.run();
