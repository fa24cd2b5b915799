/** @file The law of compute: known parameters come back, and the frontier has only points that none beats. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { computeFrontier, computeLoss, fitComputeLaw } from './compute-law.ts';

const test = suite('stats/compute-law');

test('a law of compute comes back, and its frontier has no point that another beats', () => {
  const law = { irreducible: 0.09, scale: 0.056, exponent: -0.084 };
  const points = Array.from({ length: 12 }, (_, i) => 10 ** (i - 8)).map((compute) => ({
    compute,
    loss: computeLoss(law, compute),
  }));
  const { law: found } = fitComputeLaw(points);
  for (const name of ['irreducible', 'scale', 'exponent'] as const) {
    assert.ok(Math.abs(found[name] - law[name]) < 1e-3, `${name}: ${found[name]}`);
  }
  const worse = points.map(({ compute, loss }) => ({ compute: compute * 1.5, loss: loss * 1.01 }));
  assert.equal(computeFrontier([...worse, ...points]), points);
});

test.run();
