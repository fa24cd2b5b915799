/** @file Laws over subjects: known parameters come back and lie within their intervals; a subject left out is foretold. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { bootstrapLaw } from './law-form.ts';
import { jointLoss } from './scaling-law.ts';
import {
  fitReducibleSubjectLaw,
  fitSubjectLaw,
  heldOutSubject,
  lawOfSize,
  type SubjectLaw,
  type SubjectPoint,
  subjectLoss,
  whyNoSubjectLaw,
} from './subject-law.ts';

const test = suite('stats/subject-law');

const KNOWN: SubjectLaw = {
  ...{ alpha: -1.5, beta_k: -0.3, beta_n: -0.4, gamma: -0.05, zeta: -5, eta: -0.4 },
  ...{ delta: -0.2, theta: 0.1 },
};
const NAMES = Object.keys(KNOWN) as (keyof SubjectLaw)[];
/** Of n / d and d / k. */
const WIDTHS = [2, 4, 8, 16];
const KS = [4, 8, 16, 32];

/** Cells of two trainings, whose losses have relative errors of a standard deviation. */
function cellsOf(noise: number, seed: number, sizes = [32, 64, 128]): SubjectPoint[][] {
  const rng = createRng(seed);
  const lossOf = (at: Omit<SubjectPoint, 'loss'>) => subjectLoss(KNOWN, at) * Math.exp(noise * rng.normal());
  const shapes = sizes.flatMap((d) => WIDTHS.flatMap((width) => KS.map((part) => ({ d, n: width * d, k: d / part }))));
  return shapes.map((shape) => [0, 1].map(() => ({ ...shape, loss: lossOf(shape) })));
}

test('on one subject it is the joint law', () => {
  const { delta, theta, ...joint } = KNOWN;
  assert.is(subjectLoss(KNOWN, { n: 256, k: 8, d: 1 }), jointLoss(joint, 256, 8));
  assert.is(subjectLoss(KNOWN, { n: 256, k: 8, d: 64 }), jointLoss(lawOfSize(KNOWN, 64), 4, 0.125));
});

test('without noise every parameter comes back, from two sizes too', () => {
  for (const sizes of [
    [32, 64, 128],
    [64, 768],
  ]) {
    const { law, residual } = fitSubjectLaw(cellsOf(0, 0, sizes).flat());
    for (const name of NAMES) {
      assert.ok(Math.abs(law[name] - KNOWN[name]) < 1e-3, `${name}: ${law[name]} for ${KNOWN[name]}`);
    }
    assert.ok(residual < 1e-6, `${residual}`);
  }
});

test('with noise the parameters lie within their intervals, nine times of ten at least', () => {
  let within = 0;
  const ROUNDS = 6;
  for (let round = 0; round < ROUNDS; round++) {
    const intervals = bootstrapLaw(cellsOf(0.005, round), fitSubjectLaw, { draws: 60, seed: round })!;
    for (const name of NAMES) {
      const [low, high] = intervals[name];
      assert.ok(low < high, name);
      if (KNOWN[name] >= low && KNOWN[name] <= high) within++;
    }
  }
  assert.ok(within >= 0.85 * ROUNDS * NAMES.length, `${within} of ${ROUNDS * NAMES.length}`);
});

test('a subject that was left out is foretold to about the noise, far better than by no change', () => {
  const held = heldOutSubject(cellsOf(0.005, 3).flat())!;
  assert.is(held.size, 128);
  assert.is(held.cells, WIDTHS.length * KS.length);
  assert.ok(held.error < 0.02, `${held.error}`);
  assert.ok(held.unchanged > 0.08, `${held.unchanged}`);
  assert.is(heldOutSubject(cellsOf(0, 0, [32, 64]).flat()), undefined, 'one subject is left');
});

test('losses without an irreducible part: the law without one comes back', () => {
  const points = cellsOf(0, 0).flatMap((cell) =>
    cell.map((point) => ({ ...point, loss: subjectLoss({ ...KNOWN, zeta: -Infinity }, point) })),
  );
  const { law, residual } = fitReducibleSubjectLaw(points);
  for (const name of ['alpha', 'beta_k', 'beta_n', 'gamma', 'delta'] as const)
    assert.ok(Math.abs(law[name] - KNOWN[name]) < 1e-6, `${name}: ${law[name]}`);
  assert.is(law.zeta, -Infinity);
  assert.ok(residual < 1e-9);
  assert.ok(heldOutSubject(points, fitReducibleSubjectLaw)!.error < 1e-6);
});

test('a cell that failed on one subject is missed by nothing but its own error', () => {
  const points = cellsOf(0.005, 3).flat();
  const held = heldOutSubject(points.filter(({ d, n, k }) => !(d === 64 && n === 128 && k === 16)))!;
  assert.is(held.cells, WIDTHS.length * KS.length - 1);
  assert.ok(held.error < 0.02, `${held.error}`);
});

test('one subject, or subjects without trainings in common, give no law, with what was found', () => {
  const points = cellsOf(0, 0).flat();
  const why = (kept: (point: SubjectPoint) => boolean) => whyNoSubjectLaw(points.filter(kept)) ?? '';
  assert.is(
    why(() => true),
    '',
  );
  assert.is(
    why(({ d }) => d === 64),
    'expected subjects of at least 2 sizes; found 1',
  );
  assert.match(
    why(({ d, n }) => (d === 32) === n / d < 5),
    /^of n \/ d and k \/ d that all 3 sizes have: expected at least 3 widths.*found 0, 0 and 0$/,
  );
  assert.match(
    why(({ n, d }) => n === 4 * d),
    /found 1, 4 and 4$/,
    'one width',
  );
  assert.match(
    why(({ k, d }) => k === d / 8),
    /found 4, 1 and 4$/,
    'one sparsity',
  );
  assert.match(
    why(() => false),
    /found 0$/,
  );
  const lossless = points.map((point, i) => (i === 0 ? { ...point, loss: 0 } : point));
  assert.throws(() => fitSubjectLaw(lossless), /^scaling law over subjects: expected losses over 0$/);
  assert.throws(
    () => fitSubjectLaw(points.filter(({ d }) => d === 64)),
    (error: Error) => error instanceof RangeError,
  );
});

test.run();
