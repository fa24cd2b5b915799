/** @file Random directions: what an untrained dictionary of the same kind would score. */
import { defineBaseline, tf, UserError } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { randomUnitVectors } from './parts/unit-vectors.ts';

interface Options {
  count: number;
}

/**
 * Codes are the dot products with `count` random unit vectors. There is no `decode`: with `count` ≥ d_in, least squares
 * would give x back exactly, which says something about linear algebra and nothing about the directions. As a null
 * for steering every concept has a random direction of its own; no score comes with it.
 */
export default defineBaseline<Options>({
  id: 'random',
  title: 'Random unit directions',
  version: 1,
  options: {
    count: { type: 'integer', minimum: 0, default: 0, description: 'Number of directions; 0 = 4 · d_in.' },
  },
  needs: 'activations',
  nullRow: true,
  seeded: true,
  async fit({ activations, options, rng }) {
    const count = options.count === 0 ? 4 * activations.d_in : options.count;
    if (!Number.isInteger(count) || count < 1)
      throw new UserError(`random: count must be a positive integer, found ${options.count}`);
    const data = randomUnitVectors(rng.fork('directions'), count, activations.d_in);
    return {
      tensors: { directions: { shape: [count, activations.d_in], data } },
      json: { steeringSeed: rng.fork('steering').int(2 ** 32) },
    };
  },
  restore(state, { d_in }) {
    const stored = state.tensors['directions']!;
    const count = stored.shape[0]!;
    const { steeringSeed } = state.json as { steeringSeed: number };
    const directions = tf.tensor2d(stored.data, [count, d_in]);
    return {
      d_in,
      d_sae: count,
      sparse: false,
      encode: (x) => ({ kind: 'dense', values: tf.matMul(x, directions, false, true) }),
      directions: () => stored.data.slice(),
      detector: (concept) => ({
        direction: randomUnitVectors(createRng(steeringSeed).fork(concept.id), 1, d_in),
      }),
      dispose: () => directions.dispose(),
    };
  },
});
