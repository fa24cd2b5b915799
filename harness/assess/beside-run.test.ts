import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../num/rng.ts';
import type { AssessmentKey } from '../schema/assessment-key.generated.ts';
import type { Result } from '../schema/result.generated.ts';
import { sealedSet, simulatedRatings } from '../testing/assessment.ts';
import { besideRun } from './beside-run.ts';
import { assessmentResults } from './results.ts';

const test = suite('assess/beside-run');

const keyOf = (methods: string[], seed: number) =>
  JSON.parse(sealedSet('intruder', methods, 6, seed).keyText) as AssessmentKey;
const key = keyOf(['topk', 'random'], 0);
const resultsOf = (own: AssessmentKey) =>
  assessmentResults(own, simulatedRatings(own, 5, 2, [1, 0, 1], createRng(0))).results;

/** What the run has of the methods, fitted as they were rated or anew. */
const run = (fit: (key: string) => string) =>
  key.methods.map(({ result }): Result => {
    const { steps } = result.provenance;
    return {
      ...result,
      task: { ...result.task, id: 'monosemanticity' },
      provenance: { ...result.provenance, steps: { ...steps, fit: fit(String(steps['fit'])) } },
    };
  });
const fitted = run((fit) => fit);

test('a run as it was: nothing to say, also of an import of the same set before', () => {
  assert.equal(besideRun(key, fitted), { refitted: [], sets: [] });
  assert.equal(besideRun(key, [...fitted, ...resultsOf(key)]), { refitted: [], sets: [] });
  assert.equal(besideRun(key, []), { refitted: [], sets: [] });
});

test('a run that was fitted anew has other latents than those rated; another seed beside the rated one has not', () => {
  const anew = run((fit) => `${fit} anew`);
  assert.equal(besideRun(key, [...anew, ...resultsOf(key)]).refitted, ['random', 'topk']);
  assert.equal(besideRun(key, [fitted[0]!, anew[1]!]).refitted, ['random']);
  const seed = { ...anew[0]!, seed: 1 };
  assert.equal(besideRun(key, [...fitted, seed]).refitted, []);
});

test('another set of the protocol: what it had is replaced, of methods that only it had stays', () => {
  const other = keyOf(['topk', 'random', 'neurons'], 1);
  const found = besideRun(key, [...fitted, ...resultsOf(other)]);
  assert.equal(found.sets, [{ set: other.set, replaced: ['random', 'topk'], left: ['neurons'] }]);
});

test.run();
