/** @file What steering needs beside the model of five words: a dataset with one concept, its rows, and held-out texts. */
import type { ActivationSet, ConceptSet, Dataset, Item } from '../contract.ts';
import { memoryActivations } from './activations.ts';

export const wordConcepts: ConceptSet = {
  concepts: [{ id: 'c', label: 'concept' }],
  items: [{ id: '0' }, { id: '1' }],
  examples: [
    { concept: 0, item: 0, split: 'train', role: 'positive' },
    { concept: 0, item: 1, split: 'train', role: 'negative' },
  ],
};

/** Of its two items: scale 2 is the largest product of the concept's axis with a training row. */
export const wordActivations: ActivationSet = memoryActivations([[[0, 0, 0, 2, 0]], [[0, 0, 0, 0, 1]]]);

/** Every prompt is `go`, and asks for the topic. */
export const wordDataset: Dataset = {
  id: 'words',
  modality: 'text',
  fingerprint: '',
  corpus: async () => [],
  prompts: async (n) => Array.from({ length: n }, (_, i) => ({ id: `${i}`, text: 'go', topic: 'topic' })),
  judge: {
    description: 'words',
    concept: (text, { label }) => (text.includes(label) ? 2 : 0),
    instruction: (text, { topic }) => (text.includes(topic!) ? 2 : 0),
  },
};

export const wordItems: Item[] = [
  ...Array<string>(18).fill('topic concept concept'),
  ...Array<string>(2).fill('concept topic concept'),
].map((text, i) => ({ id: `${i}`, text: `go ${text}`, responseStart: 2 }));
