/** @file The "No SAE" row: the coordinates of the activation itself. */
import { defineBaseline, tf } from '../harness/contract.ts';

export default defineBaseline<Record<string, never>>({
  id: 'neurons',
  title: 'Raw neurons (the activation itself, no dictionary)',
  version: 1,
  options: {},
  needs: 'nothing',
  seeded: false,
  fit: async () => ({ tensors: {} }),
  restore: (_state, { d_in }) => ({
    d_in,
    d_sae: d_in,
    sparse: false,
    encode: (x) => ({ kind: 'dense', values: tf.clone(x) }),
    decode: (codes) => {
      if (codes.kind !== 'dense') throw new Error('internal: the codes of neurons are dense');
      return tf.clone(codes.values);
    },
    directions: () => {
      const identity = new Float32Array(d_in * d_in);
      for (let i = 0; i < d_in; i++) identity[i * d_in + i] = 1;
      return identity;
    },
    dispose: () => {},
  }),
});
