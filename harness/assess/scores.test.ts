import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../num/rng.ts';
import type { AssessmentKey } from '../schema/assessment-key.generated.ts';
import { sealedSet, simulatedRatings } from '../testing/assessment.ts';
import { nameDistance, nameFits, nameWords } from './names.ts';
import { keptRaters } from './raters.ts';
import { assessmentResults } from './results.ts';
import { judgedAnswers, methodScores } from './scores.ts';

const test = suite('assess/scores');

const METHODS = ['topk', 'random', 'soft-frozen-decoder', 'neurons'];
const keyOf = (protocol: Parameters<typeof sealedSet>[0], latents: number, methods = METHODS) =>
  JSON.parse(sealedSet(protocol, methods, latents).keyText) as AssessmentKey;

test('raters of known skill give that skill back within the interval', () => {
  const key = keyOf('intruder', 15, ['topk', 'random']);
  const skill = [0.7, 0];
  // Who knows with .7 and else guesses among five is right with .7 + .3/5.
  const truth = [0.76, 0.2];
  const samples = 60;
  const covered = [0, 0];
  for (let s = 0; s < samples; s++) {
    const ratings = simulatedRatings(key, 5, 4, skill, createRng(s));
    const { raters } = keptRaters(key, ratings);
    const judged = judgedAnswers(key, ratings, raters);
    for (const m of [0, 1]) {
      const [low, high] = methodScores(key, m, judged, raters.length).accuracy.estimate!.ci!;
      if (low <= truth[m]! && truth[m]! <= high) covered[m]!++;
    }
  }
  // 95 % less three standard errors of 60 samples.
  for (const each of covered) assert.ok(each / samples >= 0.86, `${covered.join()} of ${samples}`);
});

test('the row of a method: above chance and controls, agreement, test and retest, correlations, counts', () => {
  const key = keyOf('intruder', 24);
  const ratings = simulatedRatings(key, 5, 5, [0.9, 0, 0.5, 0.2], createRng('row'));
  const { results, raters, excluded } = assessmentResults(key, ratings);
  assert.equal([raters.length, excluded.length], [5, 0]);
  const [topk, random] = results.map(({ rows: [row] }) => row!);
  const value = (row: typeof topk, name: string) => row!.metrics[name]!;
  assert.ok(value(topk, 'above_chance').ci95![0] > 0.5 && value(random, 'above_chance').ci95![0] < 0.1);
  assert.ok(Math.abs(value(topk, 'above_chance').value! - (value(topk, 'accuracy').value! - 0.2)) < 1e-9);
  assert.ok(value(topk, 'above_random').ci95![0] > 0.4);
  const difference = value(topk, 'accuracy').value! - value(random, 'accuracy').value!;
  assert.ok(Math.abs(value(topk, 'above_random').value! - difference) < 1e-9);
  assert.match(value(random, 'above_random').reason!, /the control itself/);
  assert.ok(value(topk, 'alpha').value! > 0.6 && Math.abs(value(random, 'alpha').value!) < 0.25);
  assert.ok(value(topk, 'spearman_ms').n > 20 && value(topk, 'spearman_detection').n > 20);
  assert.equal(value(topk, 'retest'), value(random, 'retest'));
  assert.is(value(topk, 'raters').value, 5);
  assert.is(value(topk, 'accuracy').n, 5 * value(topk, 'latents').value!);
  assert.is(topk!.samples!.unit, 'rater');
  for (const shared of topk!.samples!.sharedBy!) assert.ok(Math.abs(shared.reduce((a, b) => a + b, 0)) < 1e-6);
  assert.equal(assessmentResults(key, ratings).results, results, 'the same ratings, the same numbers');
  assert.equal(assessmentResults(key, ratings.toReversed()).results, results, 'in whatever order they come');
  assert.is.not(assessmentResults(key, ratings.slice(1)).results[0]!.key, results[0]!.key);
});

test('missing answers are missing: they count neither as right nor as wrong', () => {
  const key = keyOf('detection', 8, ['topk']);
  const all = simulatedRatings(key, 2, 3, [1], createRng(1));
  const kinds = new Map(key.items.map(({ id, kind }) => [id, kind]));
  const half = all.filter(({ item }, i) => kinds.get(item) === 'check' || i % 2 === 0);
  const { results } = assessmentResults(key, half);
  const { accuracy } = results[0]!.rows[0]!.metrics;
  assert.is(accuracy!.value, 1);
  assert.is(accuracy!.n, half.filter(({ item }) => kinds.get(item) === 'question').length);
});

test('who fails more than a quarter of the attention checks, or saw none, is left out and counted', () => {
  const key = keyOf('intruder', 8, ['topk']);
  const checks = new Set(key.items.filter(({ kind }) => kind === 'check').map(({ id }) => id));
  const ratings = simulatedRatings(key, 5, 3, [1], createRng(2));
  const wrong = (name: string, most: number) => {
    let left = most;
    return ratings
      .filter(({ rater }) => rater === 'rater 0')
      .map((each) => ({
        ...each,
        rater: name,
        ...(checks.has(each.item) && left-- > 0 ? { answer: each.answer === '1' ? '2' : '1' } : {}),
      }));
  };
  const none = wrong('none', 0).filter(({ item }) => !checks.has(item));
  const found = assessmentResults(key, [...ratings, ...wrong('careless', 2), ...wrong('slip', 1), ...none]);
  assert.equal(found.raters, ['rater 0', 'rater 1', 'rater 2', 'slip']);
  assert.equal(found.excluded, [
    { rater: 'careless', reason: 'failed 2 of 4 attention checks' },
    { rater: 'none', reason: 'answered no attention check' },
  ]);
  assert.match(found.results[0]!.marks![0]!.message, /2 of 6 raters do not count/);
  assert.throws(
    () => assessmentResults(key, wrong('careless', 2)),
    /expected a rater who passed .*careless failed 2 of 4/,
  );
  assert.throws(() => assessmentResults(key, []), /no answer at all/);
});

test('who answered nothing but attention checks is no rater: neither counted nor a unit of an interval', () => {
  const key = keyOf('intruder', 8, ['topk']);
  const checks = new Set(key.items.filter(({ kind }) => kind === 'check').map(({ id }) => id));
  const one = simulatedRatings(key, 5, 1, [0.5], createRng(4));
  const alone = one.filter(({ item }) => checks.has(item)).map((each) => ({ ...each, rater: 'alone' }));
  const found = assessmentResults(key, [...one, ...alone]);
  assert.equal(found.excluded, [{ rater: 'alone', reason: 'answered nothing but attention checks' }]);
  assert.equal(found.results[0]!.rows, assessmentResults(key, one).results[0]!.rows);
});

test('pairs: each method’s share of choices, and agreement with MS', () => {
  const key = keyOf('pair', 10);
  const ratings = simulatedRatings(key, 2, 4, [1, 1, 1, 1], createRng(3));
  const { results } = assessmentResults(key, ratings);
  const { metrics } = results[0]!.rows[0]!;
  assert.is(metrics['ms_agreement']!.value, 1);
  assert.ok(metrics['spearman_ms']!.value! > 0.4);
  const total = results.reduce(
    (sum, { rows: [row] }) => sum + row!.metrics['accuracy']!.value! * row!.metrics['accuracy']!.n,
    0,
  );
  const answers = results.reduce((sum, { rows: [row] }) => sum + row!.metrics['accuracy']!.n, 0);
  assert.ok(Math.abs(total / answers - 0.5) < 1e-9, 'one of each pair is chosen');
});

test('pairs: an answer for one method is one against the other, in differences and in ranks', () => {
  const key = keyOf('pair', 12, ['topk', 'random']);
  const ratings = simulatedRatings(key, 2, 3, [0.5, 0.5], createRng(5));
  const { results } = assessmentResults(key, ratings);
  const [topk, random] = results.map(({ rows: [row] }) => row!);
  const [own, above] = ['accuracy', 'above_random'].map((name) => topk!.metrics[name]!);
  // All pairs are between the two: the difference is twice the share, less one, and so is its interval.
  assert.ok(Math.abs(above!.value! - (2 * own!.value! - 1)) < 1e-9);
  const width = ({ ci95 }: typeof above & object) => ci95![1] - ci95![0];
  assert.ok(Math.abs(width(above!) / width(own!) - 2) < 0.3, `${width(above!)}, ${width(own!)}`);
  for (const [r, shared] of topk!.samples!.sharedBy!.entries())
    for (const [p, error] of shared.entries())
      assert.ok(
        Math.abs(error + random!.samples!.sharedBy![r]![p]!) < 1e-6,
        'what a pair adds to one it takes from the other',
      );
  // Of two latents of one method one is always chosen: that is no comparison of methods.
  const alone = keyOf('pair', 8, ['topk']);
  const { metrics } = assessmentResults(alone, simulatedRatings(alone, 2, 3, [1], createRng(6))).results[0]!.rows[0]!;
  assert.is(metrics['accuracy']!.value, null);
  assert.is(metrics['ms_agreement']!.value, 1);
});

test('names: right by a word of the concept, chance by dealing them out, agreement by shared words', () => {
  assert.equal(nameWords('The Red circles, and squares!'), ['circle', 'red', 'square']);
  assert.is(nameDistance(['circle', 'red'], ['red', 'square']), 1 - 1 / 3);
  assert.ok(nameFits(nameWords('something red'), 'red circle') && !nameFits(['none'], 'none of these'));
  const key = keyOf('name', 6, ['topk']);
  const ratings = ['a', 'b'].flatMap((rater) =>
    key.items.map(({ id, latents, gold }) => {
      const label = gold ?? key.latents[latents[0]!]!.detection!.label;
      return { rater, item: id, answer: label, seconds: 3 };
    }),
  );
  const { metrics } = assessmentResults(key, ratings).results[0]!.rows[0]!;
  assert.is(metrics['accuracy']!.value, 1);
  assert.is(metrics['alpha']!.value, 1);
  assert.is(metrics['named']!.value, 1);
  // Six latents of five labels: two of them have one name.
  assert.ok(Math.abs(metrics['collisions']!.value! - 2 / 6) < 1e-9);
  assert.ok(Math.abs(metrics['above_chance']!.value! - (1 - (2 * (2 / 6) + 4 * (1 / 6)) / 6)) < 1e-9);
});

test.run();
