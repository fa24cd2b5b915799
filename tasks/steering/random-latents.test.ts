/** @file Random latents: never the chosen one, firing, as long a push, the same at every call. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FittedMethod, tf } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { memoryActivations, memoryLabelled } from '../../harness/testing/activations.ts';
import { taskTools } from '../../harness/testing/task-tools.ts';
import { wordConcepts } from '../../harness/testing/word-data.ts';
import { randomLatents } from './random-latents.ts';
import type { SteeringVector } from './steering-vectors.ts';

const test = suite('tasks/steering/random-latents');
test.before(async () => {
  await initBackend('wasm');
});

/** Latent i reads coordinate i and writes i + 1 times as much. */
const dictionary: FittedMethod = {
  d_in: 5,
  d_sae: 5,
  sparse: true,
  encode: (x) => ({ kind: 'dense', values: tf.relu(x) }),
  decode: (codes) => tf.mul(codes.values, tf.tensor1d([1, 2, 3, 4, 5])),
  dispose: () => {},
};
const chosen: SteeringVector = { vector: Float32Array.of(0, 0, 0, 4, 0), scale: 2, latent: 3, details: {} };

/** On training items whose rows are these. */
async function drawn(rows: number[][], own: SteeringVector | undefined, given = dictionary) {
  const labelled = memoryLabelled(wordConcepts, memoryActivations(rows.map((row) => [row])));
  const method = { ...given, id: 'sae', kind: 'sae' as const };
  return await randomLatents({ method, labelled, ...taskTools(given) }, [0], { vectors: [own] });
}

test('another latent that fires, scaled to as long a push', async () => {
  const found = await drawn(
    [
      [0, 0, 0, 2, 0],
      [0, 7, 0, 0, 0],
    ],
    chosen,
  );
  assert.equal([found!.selection, found!.kinds], ['random', ['add']]);
  const [vector] = found!.vectors;
  assert.equal(vector!.details, { latent: 1 });
  assert.equal([...vector!.vector], [0, 2, 0, 0, 0]);
  assert.is(vector!.scale, 4, '4 · 2 is 2 · 4');
  assert.equal(
    await drawn(
      [
        [0, 0, 0, 2, 0],
        [0, 7, 0, 0, 0],
      ],
      chosen,
    ),
    found,
  );
});

test('where none but the chosen one fires, or none was chosen, there is no vector and nothing else is taken', async () => {
  assert.equal(
    (await drawn(
      [
        [0, 0, 0, 2, 0],
        [0, 0, 0, 1, 0],
      ],
      chosen,
    ))!.vectors,
    [undefined],
  );
  assert.is(
    await drawn(
      [
        [1, 1, 1, 1, 1],
        [0, 0, 0, 1, 0],
      ],
      undefined,
    ),
    undefined,
  );
  const { latent: _, ...direction } = chosen;
  assert.is(
    await drawn(
      [
        [1, 1, 1, 1, 1],
        [0, 0, 0, 1, 0],
      ],
      direction,
    ),
    undefined,
  );
  assert.is(
    await drawn(
      [
        [1, 1, 1, 1, 1],
        [0, 0, 0, 1, 0],
      ],
      chosen,
      { ...dictionary, sparse: false },
    ),
    undefined,
  );
});

test.run();
