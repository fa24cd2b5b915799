/** @file Laws over subjects in reports: what made the losses comes back; what is no comparison over sizes gives none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type SubjectLaw, subjectLoss } from '../harness/num/stats/subject-law.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { renderTexts } from './index.ts';
import { subjectScalingPlot } from './plots/scaling.ts';
import { subjectStudies } from './subject-scaling.ts';
import { metric, realResult, resultWith } from './testing/results.ts';

const test = suite('reports/subject-scaling');

const LAW: SubjectLaw = {
  ...{ alpha: -1.5, beta_k: -0.3, beta_n: -0.4, gamma: -0.05, zeta: -5, eta: -0.4 },
  ...{ delta: -0.2, theta: 0.1 },
};
/** Of n / d and d / k. */
const WIDTHS = [2, 4, 8, 16];
const KS = [4, 8, 16];

/** A training of a real method on a subject of another width. */
function trained(d: number, n: number, k: number, seed = 0): Result {
  const real = realResult('relu', 'concept-detection');
  const rows = [{ axes: {}, metrics: { ev: metric(1 - subjectLoss(LAW, { n, k, d }), null, { main: true }) } }];
  const task = { ...real.task, shows: { scaling: { missing: 'ev' } } };
  const result = resultWith(`topk-d_sae-${n}-k-${k}`, rows, { task });
  const training = { ...realResult('relu', 'reconstruction').training!, parameters: 2 * d * n, tokens: 1e5 };
  const subject = { ...result.subject, id: `lm-d${d}`, fingerprint: `weights of ${d}`, parameters: 1000 * d };
  const method = { ...result.method, id: 'topk', d_sae: n, sparsity: 'k', options: { d_sae: n, k } };
  return { ...result, seed, subject, site: { ...result.site, d_in: d }, method, training };
}

const grid = (sizes = [32, 64, 128], widths = WIDTHS, ks = KS) =>
  sizes.flatMap((d) => widths.flatMap((width) => ks.map((part) => trained(d, width * d, d / part))));

test('three subjects: the law that made the losses, a row for each subject, and the largest foretold', async () => {
  const { studies, refused } = subjectStudies(grid());
  assert.equal(refused, []);
  assert.is(studies.length, 1);
  const [study] = studies;
  for (const { loss, ...at } of study!.trainings)
    assert.ok(Math.abs(subjectLoss(study!.law, at) / loss - 1) < 1e-4, `${at.d} ${at.n} ${at.k}`);
  assert.equal(
    study!.subjects.map(({ subject, d, parameters }) => [subject, d, parameters]),
    [
      ['lm-d32', '32', '32,000'],
      ['lm-d64', '64', '64,000'],
      ['lm-d128', '128', '128,000'],
    ],
  );
  assert.equal(study!.at, { n: 8, k: 0.125 });
  const held = study!.rows.filter(({ name }) => name.includes('d = 128'));
  assert.is(held.length, 1);
  assert.ok(Number.parseFloat(held[0]!.value) < 0.1, held[0]!.value);
  assert.match(
    study!.reading[0]!,
    /^At equal n and k the loss rises .* in 12 of 12 cells \(as Gao et al\. 2024 found\)\.$/,
  );
  assert.match(study!.reading[1]!, /^At equal n \/ d and k \/ d it rises .* in 0 of 24/);
  const { html } = await renderTexts(grid());
  assert.match(html, /<h2 id="over-subjects">Over subjects<\/h2>/);
  assert.match(html, /Scaling of topk over subjects at k = 0.125 d/);
  assert.match(html, /<th scope="row" class="name">lm-d128<\/th><td>128<\/td><td>128,000<\/td>/);
  assert.match(html, /<th scope="col">loss at n &#x3D; 8 d, k &#x3D; 0\.125 d<\/th>/);
});

test('widths of which a quotient is not exact: every subject has its loss at the cell that is compared', () => {
  const k = 1 / 49;
  assert.is.not(k * 49, 1);
  const { studies } = subjectStudies(grid([49, 98, 196], WIDTHS, [32, 49, 64]));
  assert.is(studies[0]!.at.k, k);
  for (const { subject, loss } of studies[0]!.subjects) assert.match(loss, /^\d/, subject);
  const { legend } = subjectScalingPlot(studies[0]!);
  assert.equal(
    legend!.map(({ label }) => label),
    ['lm-d49', 'lm-d98', 'lm-d196'],
  );
  assert.is(studies[0]!.place, 'n = 8 d, k = 0.020 d');
});

test('nine trainings of a subject, of which most draws give no law, do not say what its irreducible loss is', () => {
  const [study] = subjectStudies(grid([32, 64], [2, 4, 8])).studies;
  for (const { irreducible, loss } of study!.subjects) {
    assert.is(irreducible, 'not determined');
    assert.match(loss, /^\d/);
  }
});

test('a loss that falls from one subject to the next is not said to be as others found', () => {
  const falling = grid().map((result) => {
    const { d_in } = result.site;
    const rows = [{ axes: {}, metrics: { ev: metric(1 - 1 / d_in, null, { main: true }) } }];
    return { ...result, rows };
  });
  const [line] = subjectStudies(falling).studies[0]!.reading.filter((each) => each.startsWith('At equal n and k '));
  assert.match(line!, / in 0 of 12 cells \(Gao et al\. 2024 found that it does\)\.$/);
});

test('the order of results changes nothing', () => {
  const tables = [grid(), grid().toReversed()].map((results) => subjectStudies(results).studies[0]!);
  assert.equal(tables[0]!.subjects, tables[1]!.subjects);
  assert.equal(tables[0]!.reading, tables[1]!.reading);
});

test('one subject, one width, one sparsity: no law, and no word of one', async () => {
  const none = { studies: [], refused: [] };
  assert.equal(subjectStudies(grid([64])), none);
  assert.equal(subjectStudies(grid([32, 64, 128], [4])), none);
  assert.equal(subjectStudies(grid([32, 64, 128], WIDTHS, [4])), none);
  assert.equal(subjectStudies([]), none);
  assert.not.match((await renderTexts(grid([64]))).html, /Over subjects/);
});

test('a grid too small, or trainings that the subjects do not share, is refused with what was found', async () => {
  const small = subjectStudies(grid([32, 64, 128], [2, 4]));
  assert.equal(small.studies, []);
  assert.match(small.refused[0]!.reason, /found 2, 3 and 6$/);
  const apart = [...grid([32], [2, 4, 8]), ...grid([64], [16, 32, 64])];
  assert.match(
    subjectStudies(apart).refused[0]!.reason,
    /^of n \/ d and k \/ d that all 2 sizes have: .*found 0, 0 and 0$/,
  );
  assert.match(
    (await renderTexts(apart)).html,
    /No scaling law of topk over subjects at .*: of n \/ d and k \/ d that all 2/,
  );
});

test('cells that failed are counted and missed by the law; two subjects hold none out', () => {
  const results = grid().map((result, i) => (i < 3 ? { ...result, rows: [], failed: 'loss is NaN' } : result));
  const [study] = subjectStudies(results).studies;
  assert.is(study!.trainings.length, 33);
  assert.match(study!.reading[0]!, /^3 more trainings failed or explain no variance/);
  const [two] = subjectStudies(grid([32, 64])).studies;
  assert.not.ok(two!.rows.some(({ name }) => name.includes('had not seen')));
  assert.match(two!.reading.join(' '), /too few subjects to hold one out/);
});

test('subjects of one width, or trained on otherwise, are no comparison of sizes', () => {
  const twin = grid([64]).map((result) => ({ ...result, subject: { ...result.subject, id: 'twin' } }));
  assert.equal(subjectStudies([...grid(), ...twin]).studies, []);
  const reason = /^expected one subject of each width; found lm-d64 \(.*\) and (twin|lm-d64) \(.*\) of d 64$/;
  assert.match(subjectStudies([...grid(), ...twin]).refused[0]!.reason, reason);
  // A folder with results from before and after its model was trained again.
  const subjectOf = (result: Result) => ({ ...result.subject, fingerprint: 'of other weights' });
  const again = grid().map((result, i) => (i === 13 ? { ...result, subject: subjectOf(result) } : result));
  assert.equal(subjectStudies(again).studies, []);
  assert.match(subjectStudies(again).refused[0]!.reason, reason);
  const other = grid([128]).map((result) => ({
    ...result,
    training: { ...result.training!, options: { ...result.training!.options, lr: 0.1 } },
  }));
  const { studies } = subjectStudies([...grid([32, 64]), ...other]);
  assert.equal(
    studies.map(({ subjects }) => subjects.map(({ subject }) => subject)),
    [['lm-d32', 'lm-d64']],
  );
});

test.run();
