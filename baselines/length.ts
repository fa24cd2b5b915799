/** @file A null row of concept detection: nothing but how long the text is. */
import { defineBaseline } from '../harness/contract.ts';

/**
 * Score = characters of the response (of the whole text where the dataset does not mark a response): longer is taken for
 * more of every concept. The sign is fixed rather than learnt: in AxBench the training positives are shorter than the
 * training negatives, and the held-out ones longer, so a learnt sign would hide the artefact that this row is for. On
 * AxBench CONCEPT10 (Gemma-2-2B, layer 20) it gives a mean AUROC of 0.778.
 */
export default defineBaseline<Record<string, never>>({
  id: 'length',
  title: 'Output length (null row)',
  version: 1,
  options: {},
  needs: 'text',
  modalities: ['text'],
  nullRow: true,
  seeded: false,
  fit: async () => ({ tensors: {} }),
  restore: (_state, { d_in }) => ({
    d_in,
    sparse: false,
    detector: () => ({ scoreItem: ({ text = '', responseStart = 0 }) => text.length - responseStart }),
    dispose: () => {},
  }),
});
