/** @file Scaling laws: known parameters come back, also from noisy losses, within their intervals; a width left out is foretold. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { bootstrapLaw } from './law-form.ts';
import {
  fitJointLaw,
  fitReducibleLaw,
  heldOutWidth,
  type JointLaw,
  jointLoss,
  type ScalingPoint,
} from './scaling-law.ts';

const test = suite('stats/scaling-law');

/** Of GPT-4's SAEs (Gao et al. 2024; alpha, zeta and eta as quoted from memory). */
const KNOWN: JointLaw = { alpha: -0.5, beta_k: 0.26, beta_n: -0.017, gamma: -0.042, zeta: -1.32, eta: -0.085 };
const WIDTHS = [256, 1024, 4096, 16384, 65536];
const KS = [4, 8, 16, 32, 64, 128];

/** Cells of trainings, whose losses have relative errors of a standard deviation. */
function cellsOf(law: JointLaw, noise: number, seed: number, seeds = 3, widths = WIDTHS): ScalingPoint[][] {
  const rng = createRng(seed);
  return widths.flatMap((n) =>
    KS.map((k) =>
      Array.from({ length: seeds }, () => ({ n, k, loss: jointLoss(law, n, k) * Math.exp(noise * rng.normal()) })),
    ),
  );
}

test('the values that the law has where it was published', () => {
  const at = (n: number) => [8, 32, 128, 512].map((k) => Number(jointLoss(KNOWN, n, k).toFixed(3)));
  assert.equal(at(2 ** 14), [0.602, 0.507, 0.428, 0.362]);
  assert.equal(at(2 ** 20), [0.469, 0.356, 0.277, 0.221]);
});

test('without noise every parameter comes back', () => {
  const { law, residual } = fitJointLaw(cellsOf(KNOWN, 0, 0, 1).flat());
  for (const name of Object.keys(KNOWN) as (keyof JointLaw)[]) {
    assert.ok(Math.abs(law[name] - KNOWN[name]) < 1e-3, `${name}: ${law[name]} for ${KNOWN[name]}`);
  }
  assert.ok(residual < 1e-6, `${residual}`);
});

test('with noise the parameters lie within their intervals, nine times of ten at least', () => {
  let within = 0;
  const names = Object.keys(KNOWN) as (keyof JointLaw)[];
  const ROUNDS = 8;
  for (let round = 0; round < ROUNDS; round++) {
    const intervals = bootstrapLaw(cellsOf(KNOWN, 0.005, round), fitJointLaw, { draws: 60, seed: round })!;
    for (const name of names) {
      const [low, high] = intervals[name];
      assert.ok(low < high);
      if (KNOWN[name] >= low && KNOWN[name] <= high) within++;
    }
  }
  assert.ok(within >= 0.85 * ROUNDS * names.length, `${within} of ${ROUNDS * names.length}`);
});

test('a width that was left out is foretold to about the noise, far better than by no change', () => {
  const held = heldOutWidth(cellsOf(KNOWN, 0.005, 3).flat())!;
  assert.is(held.size, 65536);
  assert.is(held.cells, KS.length);
  assert.ok(held.error < 0.01, `${held.error}`);
  assert.ok(held.unchanged > 0.1, `${held.unchanged}`);
  assert.ok(held.error < held.line, `${held.line}`);
});

test('losses without an irreducible part: the law without one comes back, and foretells better than the whole law', () => {
  const law = { ...KNOWN, zeta: -Infinity };
  const points = cellsOf(law, 0.01, 5, 2).flat();
  const exact = fitReducibleLaw(cellsOf(law, 0, 0, 1).flat());
  for (const name of ['alpha', 'beta_k', 'beta_n', 'gamma'] as const)
    assert.ok(Math.abs(exact.law[name] - law[name]) < 1e-6, `${name}: ${exact.law[name]}`);
  assert.is(exact.law.zeta, -Infinity);
  assert.ok(exact.residual < 1e-9);
  const [whole, reducible] = [heldOutWidth(points)!, heldOutWidth(points, fitReducibleLaw)!];
  assert.ok(reducible.error <= whole.error, `${reducible.error} ${whole.error}`);
  assert.ok(reducible.error < 0.02);
  assert.throws(() => fitReducibleLaw(points.slice(0, 4)), /^joint scaling law: expected/);
});

test('too few widths, sparsities or cells are refused with what was found', () => {
  const points = cellsOf(KNOWN, 0, 0, 1).flat();
  const refused = (some: ScalingPoint[]) => {
    try {
      fitJointLaw(some);
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return '';
  };
  assert.match(refused(points.filter(({ n }) => n < 2000)), /^RangeError: .*found 2, 6 and 12$/);
  assert.match(refused(points.filter(({ k }) => k < 10)), /found 5, 2 and 10$/);
  assert.match(refused([...points, { n: 1, k: 1, loss: 0 }]), /losses over 0/);
  assert.is(heldOutWidth(points.filter(({ n }) => n < 5000)), undefined);
});

test.run();
