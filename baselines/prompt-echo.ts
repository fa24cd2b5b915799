/** @file A control of judges: the prompt said again, written without the model. */
import { defineBaseline } from '../harness/contract.ts';

/** The concept's name goes before it: the prompt alone would fail by the concept, whatever a judge makes of an echo. */
export default defineBaseline<Record<string, never>>({
  id: 'prompt-echo',
  title: "The concept's name and the prompt again (control)",
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
    write: ({ label }, { text }) => `${label}: ${text.trim()}`,
    dispose: () => {},
  }),
});
