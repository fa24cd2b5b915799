import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptDetector, ConceptSet, FittedMethod } from '../../harness/contract.ts';
import { memoryActivations } from '../../harness/testing/activations.ts';
import { refusal } from '../../harness/testing/failing.ts';
import { detectorScores } from './detector-scores.ts';

const test = suite('tasks/concept-detection/detector-scores');

const set: ConceptSet = {
  concepts: [
    { id: 'c0', label: 'a' },
    { id: 'c1', label: 'b' },
  ],
  items: [5, 6, 7].map((value) => ({ id: `i${value}` })),
  examples: [],
};
const activations = memoryActivations([[[5]], [[6]], [[7]]]);

const scoresOf = (detector: ConceptDetector) => {
  const method: FittedMethod = {
    d_in: 1,
    sparse: false,
    detector: ({ id }) => (id === 'c0' ? detector : undefined),
    dispose() {},
  };
  return detectorScores(method, { set, activations }, [Uint32Array.of(2, 0), Uint32Array.of(1)], { progress() {} });
};

test('a detector of whole items is asked for the wanted ones alone, and its scores stand at their places', async () => {
  const [own, none] = await scoresOf({
    async scoreItems(collected, places) {
      assert.is(collected.items, set.items);
      const rows = await collected.activations.read(0, 3);
      return Float32Array.from(places, (place) => rows[place]!);
    },
    scoreItem: () => 0,
  });
  assert.equal([...own!], [5, Number.NaN, 7]);
  assert.is(none, undefined);
});

test('a score that is no number is refused, naming concept and item', async () => {
  const nothing: ConceptDetector = {
    scoreItems: async (_, places) => new Float32Array(places.length).fill(Number.NaN),
  };
  assert.match(await refusal(scoresOf(nothing)), /concept 'c0', item 'i7': expected a finite score, found NaN/);
});

test.run();
