/** @file Values by unit over seeds: by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sampledOf } from './ranks.ts';
import type { SampledUnits, TableRow } from './table.ts';
import { unitTable } from './units.ts';

const test = suite('reports/units');

const seed = (number: number, values: number[], ci95: ([number, number] | null)[], apart: boolean[]): SampledUnits =>
  sampledOf(
    number,
    {
      axes: {},
      metrics: { m: { value: 0.1, ci95: null, n: values.length } },
      samples: { unit: 'concept', ids: ['a', 'b'].slice(0, values.length), values, ci95, apart },
    },
    'm',
  )!;
const row = (...sampled: SampledUnits[]) => ({ detail: false, sampled }) as unknown as TableRow;
const tableOf = (...rows: TableRow[]) => unitTable({ rows, task: {} } as Parameters<typeof unitTable>[0]);

test('one seed as it is; of several the mean, the items as of one seed, and the spread of seeds beside it', () => {
  const one = row(seed(0, [0.2, -0.3], [[0.1, 0.4], null], [true, true]));
  const two = row(seed(0, [0.2], [[0.1, 0.4]], [true]), seed(1, [0.2], [[0.1, 0.4]], [false]));
  const spread = row(seed(0, [0.1], [[0, 0.2]], [true]), seed(1, [0.3], [[0.2, 0.4]], [true]));
  const { unit, units, counts } = tableOf(one, two, spread)!;
  assert.is(unit, 'concept');
  assert.equal(units[0]!.cells[0], { value: 0.2, ci95: [0.1, 0.4], apart: true });
  assert.equal(units[1]!.cells, [{ value: -0.3, ci95: null, apart: true }, undefined, undefined]);
  const { value, ci95, apart } = units[0]!.cells[1]!;
  assert.equal([value, apart], [0.2, false], 'not in every seed');
  assert.ok(Math.abs(ci95![0] - 0.1) < 1e-12 && Math.abs(ci95![1] - 0.4) < 1e-12);
  // Student's t of one degree of freedom, 12.706, times .1, the standard error of .1 and .3; and .1 of the items.
  assert.ok(Math.abs(units[0]!.cells[2]!.ci95![1] - (0.2 + Math.hypot(1.2706205, 0.1))) < 1e-6);
  assert.equal(counts, [
    { above: 1, below: 1 },
    { above: 0, below: 0 },
    { above: 1, below: 0 },
  ]);
});

test('no table where no ranked row has intervals', () => {
  const plain = sampledOf(
    0,
    { axes: {}, metrics: { m: { value: 0.1, ci95: null, n: 1 } }, samples: { unit: 'concept', values: [0.1] } },
    'm',
  );
  assert.is(tableOf(row(plain!)), undefined);
  assert.is(tableOf({ ...row(seed(0, [0.2], [[0.1, 0.4]], [true])), detail: true }), undefined);
});

test.run();
