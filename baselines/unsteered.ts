/** @file The null row of steering: the zero direction, which leaves every activation as it is. */
import { defineBaseline } from '../harness/contract.ts';

export default defineBaseline<Record<string, never>>({
  id: 'unsteered',
  title: 'No steering (null row)',
  version: 1,
  options: {},
  needs: 'nothing',
  nullRow: true,
  seeded: false,
  fit: async () => ({ tensors: {} }),
  restore: (_state, { d_in }) => ({
    d_in,
    sparse: false,
    detector: () => ({ direction: new Float32Array(d_in) }),
    dispose: () => {},
  }),
});
