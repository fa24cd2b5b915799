import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng, type Rng } from '../rng.ts';
import { type CrossedTable, crossedShare } from './crossed-bootstrap.ts';

const test = suite('crossed-bootstrap');

const UNIT = [0, 1] as const;
const table = (latents: number, answers: readonly number[]): CrossedTable => ({
  latents,
  sums: Float64Array.from(answers),
  counts: new Float64Array(answers.length).fill(1),
});

test('the share, its interval and its n; a missing answer counts for nothing', () => {
  const full = table(6, [1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1]);
  const found = crossedShare([full], [1], 2, createRng(0), UNIT)!;
  assert.is(found.value, 8 / 12);
  assert.is(found.n, 2);
  assert.ok(found.ci![0] >= 0 && found.ci![0] < 8 / 12 && found.ci![1] > 8 / 12 && found.ci![1] <= 1);
  assert.equal(crossedShare([full], [1], 2, createRng(0), UNIT), found);
  const less = table(3, [1, 0, 1, 1, 0, 0]);
  less.counts[4] = 0;
  const few = crossedShare([less], [1], 2, createRng(0), UNIT)!;
  assert.is(few.value, 3 / 5);
  assert.is(few.ci, null, 'three latents that differ have no interval');
});

test('no answer, one latent, answers that are all right', () => {
  const none = { latents: 2, sums: new Float64Array(4), counts: new Float64Array(4) };
  assert.is(crossedShare([none], [1], 2, createRng(0), UNIT), null);
  assert.is(crossedShare([table(1, [1, 0])], [1], 2, createRng(0), UNIT)!.ci, null);
  const right = crossedShare([table(4, [1, 1, 1, 1, 1, 1, 1, 1])], [1], 2, createRng(0), UNIT)!;
  assert.is(right.ci![1], 1);
  assert.ok(right.ci![0] < 0.7, 'four latents do not show that all would be right');
});

test('a difference of a group with itself is 0, and of opposite groups what their shares differ by', () => {
  const one = table(3, [1, 0, 1, 1, 1, 0]);
  const other = table(3, [0, 0, 1, 0, 1, 0]);
  assert.is(crossedShare([one, other], [1, -1], 2, createRng(0), [-1, 1])!.value, 4 / 6 - 2 / 6);
});

interface Spread {
  raters: number;
  latents: number;
  /** Of raters' and of latents' logits. */
  rater: number;
  latent: number;
}

const right = (logit: number) => 1 / (1 + Math.exp(-logit));

function simulated({ raters, latents, rater, latent }: Spread, rng: Rng): CrossedTable {
  const ofRater = Array.from({ length: raters }, () => rater * rng.normal());
  const ofLatent = Array.from({ length: latents }, () => latent * rng.normal());
  return table(
    latents,
    ofRater.flatMap((a) => ofLatent.map((b) => (rng.uniform() < right(a + b) ? 1 : 0))),
  );
}

for (const spread of [
  { raters: 3, latents: 20, rater: 0, latent: 0 },
  { raters: 3, latents: 20, rater: 0.5, latent: 1 },
  { raters: 5, latents: 15, rater: 0.5, latent: 1 },
]) {
  test(`covers the true share, ${JSON.stringify(spread)}`, () => {
    const samples = 150;
    let covered = 0;
    for (let i = 0; i < samples; i++) {
      const rng = createRng(i).fork('coverage');
      // Logits about 0: the true share is a half.
      const { ci } = crossedShare([simulated(spread, rng)], [1], spread.raters, rng.fork('draws'), UNIT)!;
      if (ci![0] <= 0.5 && 0.5 <= ci![1]) covered++;
    }
    // Three standard errors of 95 % from 150 samples are .053.
    assert.ok(covered / samples >= 0.89, `${covered} of ${samples}`);
  });
}

test.run();
