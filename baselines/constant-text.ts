/** @file A control of judges: one text a concept, written without the model and whatever the prompt. */
import { defineBaseline, UserError } from '../harness/contract.ts';
import { mostTelling } from './parts/telling-text.ts';
import { requireLabels } from './parts/train-examples.ts';

/**
 * The text is the response of a training example that shows the concept: of all of them the one whose first words tell it best from
 * the training examples without it. No held-out text and no judge takes part in the choice. It answers no prompt: a judge
 * that gives it more than a steered model's texts judges something else than steering.
 */
export default defineBaseline<Record<string, never>>({
  id: 'constant-text',
  title: 'One text a concept, written without the model (control)',
  version: 1,
  options: {},
  needs: 'text',
  modalities: ['text'],
  nullRow: true,
  seeded: false,
  async fit({ labelled }) {
    const { set, examples } = requireLabels('constant-text', labelled);
    const entries = set.concepts.map(({ id }, concept) => {
      const { items, labels } = examples(concept, 'train');
      const texts = [...items].map((item) => set.items[item]!);
      const responses = texts.map(({ text = '', responseStart = 0 }) => text.slice(responseStart).trim());
      const text = mostTelling(responses, labels);
      if (text !== '') return [id, text] as const;
      throw new UserError(
        `constant-text: concept '${id}': expected a training text with the concept, of which one can be taken; found none ` +
          'that says anything',
      );
    });
    return { tensors: {}, json: Object.fromEntries(entries) };
  },
  restore(state, { d_in }) {
    const texts = state.json as Record<string, string>;
    return { d_in, sparse: false, write: ({ id }) => texts[id] ?? '', dispose: () => {} };
  },
});
