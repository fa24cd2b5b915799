/** @file starter: a baseline that fits one direction a concept, the difference of means. Change `fit` into your own. */
import { defineBaseline, tf, UserError } from 'saxbench';
import { meanDifferences } from 'saxbench/kit';

/** Options, as `--option starter.NAME=value` sets them; declare each in `options` too. */
type Options = Record<string, never>;

export default defineBaseline<Options>({
  id: 'starter', // as the file is named
  title: 'starter: difference of means',
  version: 1, // raise it when the numbers change
  options: {},
  // What it is given: 'nothing', 'activations', 'labels', 'text', 'subject' or 'gradients'.
  needs: 'labels',
  // Whether two seeds give two results.
  seeded: false,
  // Numbers and JSON, which the store keeps: nothing live.
  async fit({ labelled, activations: { d_in }, signal, progress }) {
    if (!labelled) throw new UserError('starter: expected a dataset with labelled concepts; found none.');
    const { concepts } = labelled.set;
    // Mean training row with the concept less that without it, [d_in] a concept.
    const differences = await meanDifferences(labelled, [...concepts.keys()], { signal, progress });
    const data = new Float32Array(concepts.length * d_in);
    for (const [i, difference] of differences.entries()) {
      const length = Math.hypot(...difference);
      if (!(length > 0)) throw new UserError(`starter: concept '${concepts[i]!.id}': both classes have the same mean.`);
      data.set(
        difference.map((value) => value / length),
        i * d_in,
      );
    }
    return {
      tensors: { directions: { shape: [concepts.length, d_in], data } },
      json: concepts.map(({ id }) => id),
    };
  },
  // The method from what `fit` left. With `encode` and `decode` in place of `detector` it competes as a dictionary does.
  restore(state, { d_in }) {
    const { data } = state.tensors['directions']!;
    const ids = state.json as string[];
    return {
      d_in,
      sparse: false,
      detector({ id }) {
        const place = ids.indexOf(id);
        if (place < 0) return undefined;
        const direction = data.slice(place * d_in, (place + 1) * d_in);
        return {
          // x [n, d_in] → [n]: higher means more of the concept.
          score: (x) => tf.tidy(() => tf.squeeze(tf.matMul(x, tf.tensor2d(direction, [d_in, 1])), [1])),
          // The unit vector that steering adds.
          direction,
        };
      },
      dispose() {},
    };
  },
});
