/** @file By simulation: comparisons keep the error rate that they state, and find the change that they say they would. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../harness/num/rng.ts';
import { type Simulation, simulatedRun } from '../testing/runs.ts';
import { compareRuns } from './comparison.ts';
import { parseRule } from './rules.ts';

const test = suite('comparison: error rate and power');

const PAIRS = 200;
/** Of 200 at a rate of 5 %, more than 16 come by chance once in 50 times. */
const MOST_FALSE = 16;

const rules = [parseRule('main worsens at 95%', 'test')];
const rng = createRng('compare');
const units = Array.from({ length: 8 }, () => 0.1 * rng.normal());
const simulation: Simulation = {
  ...{ methods: ['a', 'b', 'c'], seeds: [0, 1, 2, 3], units },
  ...{ seedSpread: 0.01, noise: 0.03 },
};

/** Two runs of one truth: the same seeds, or others. */
function nullPair(i: number, seeds = simulation.seeds) {
  const own = rng.fork(`pair ${i} ${seeds.join()}`);
  return compareRuns(simulatedRun(own, simulation), simulatedRun(own, { ...simulation, seeds }), { rules });
}

for (const [name, seeds] of [
  ['the same seeds', simulation.seeds],
  ['other seeds', [4, 5, 6, 7]],
  ['fewer seeds on one side', [4, 5]],
] as const) {
  test(`${PAIRS} pairs of one truth, ${name}: told apart no more often than stated`, () => {
    let [failed, different] = [0, 0];
    for (let i = 0; i < PAIRS; i++) {
      const comparison = nullPair(i, seeds);
      if (comparison.failed) failed++;
      if (comparison.lines.some(({ adjusted }) => adjusted! < 0.05)) different++;
    }
    assert.ok(failed <= MOST_FALSE, `${failed} of ${PAIRS} failed`);
    assert.ok(different <= MOST_FALSE, `${different} of ${PAIRS} called different`);
  });
}

for (const [name, seeds] of [
  ['the same seeds', simulation.seeds],
  ['other seeds', [4, 5, 6, 7]],
] as const) {
  test(`a drop of the size that is said to be detectable is found four times of five, ${name}`, () => {
    const sizes = Array.from({ length: 25 }, (_, i) => nullPair(i, seeds).rules[0]!.detectable[0]!.sizes[1]);
    const size = sizes.sort((a, b) => a - b)[Math.floor(sizes.length / 2)]!;
    let found = 0;
    for (let i = 0; i < PAIRS; i++) {
      const own = rng.fork(`planted ${i} ${seeds.join()}`);
      const after = { ...simulation, seeds, shift: { c: -size } };
      const [outcome] = compareRuns(simulatedRun(own, simulation), simulatedRun(own, after), { rules }).rules;
      if (outcome!.verdicts.some((each) => each.outcome === 'failed' && each.line.method === 'c')) found++;
    }
    assert.ok(found >= 0.8 * PAIRS, `a drop of ${size} was found ${found} times of ${PAIRS}`);
  });
}

test.run();
