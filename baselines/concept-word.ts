/** @file A control of judges: the concept's name over and over, written without the model. */
import { defineBaseline } from '../harness/contract.ts';

/** How often: more than any text is long that is judged. */
const TIMES = 256;

export default defineBaseline<Record<string, never>>({
  id: 'concept-word',
  title: "The concept's name repeated (control)",
  version: 1,
  options: {},
  needs: 'nothing',
  modalities: ['text'],
  nullRow: true,
  seeded: false,
  fit: async () => ({ tensors: {} }),
  restore: (_state, { d_in }) => ({
    d_in,
    sparse: false,
    write: ({ label }) => Array(TIMES).fill(label).join(' '),
    dispose: () => {},
  }),
});
