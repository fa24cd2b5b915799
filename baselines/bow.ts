/** @file Bag of words: a logistic regression on word counts. It reads the text and not the subject, and is ranked: the row to beat. */
import { defineBaseline, type FittedMethod, type Item, UserError } from '../harness/contract.ts';
import { bagOfWordsScore, countWords, fitBagOfWords } from '../harness/kit/index.ts';
import { requireLabels, trainExamples } from './parts/train-examples.ts';

interface Options {
  c: number;
}

/** Where a concept's weights stand in the stored arrays. */
interface StoredConcept {
  id: string;
  intercept: number;
  start: number;
  end: number;
}

/**
 * Per concept: counts of lower-cased words (`\w\w+`) over the training texts, logistic regression with L2, C = 100, solved
 * to convergence (AxBench's BoW). The score is the log-odds.
 */
export default defineBaseline<Options>({
  id: 'bow',
  title: 'Bag of words (reads the text, not the subject)',
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 1,
  options: {
    c: { type: 'number', exclusiveMinimum: 0, default: 100, description: 'Inverse strength of the L2 penalty.' },
  },
  needs: 'text',
  modalities: ['text'],
  seeded: false,
  async fit({ labelled: given, options, signal, progress }) {
    const labelled = requireLabels('bow', given);
    const { concepts, items } = labelled.set;
    const vocabulary = new Map<string, number>();
    const stored: StoredConcept[] = [];
    const indices: number[] = [];
    const weights: number[] = [];
    for (const [c, concept] of concepts.entries()) {
      signal?.throwIfAborted();
      const examples = trainExamples('bow', labelled, c);
      const texts = Array.from(examples.items, (item) => requireText(items[item]!));
      const model = fitBagOfWords(texts, examples.labels, options.c);
      const start = indices.length;
      for (const [word, weight] of model.weights) {
        if (!vocabulary.has(word)) vocabulary.set(word, vocabulary.size);
        indices.push(vocabulary.get(word)!);
        weights.push(weight);
      }
      stored.push({ id: concept.id, intercept: model.intercept, start, end: indices.length });
      progress(c + 1, concepts.length);
    }
    return {
      tensors: {
        // Whole numbers below 2^24: exact in float32.
        indices: { shape: [indices.length], data: Float32Array.from(indices) },
        weights: { shape: [weights.length], data: Float32Array.from(weights) },
      },
      json: { words: [...vocabulary.keys()], concepts: stored },
    };
  },
  restore(state, { d_in }): FittedMethod {
    const { words, concepts } = state.json as { words: string[]; concepts: StoredConcept[] };
    const indices = state.tensors['indices']!.data;
    const weights = state.tensors['weights']!.data;
    // Texts are scored for every concept: their words are counted once.
    const counted = new WeakMap<Item, Map<string, number>>();
    const countsOf = (item: Item) => {
      let counts = counted.get(item);
      if (!counts) {
        counts = countWords(requireText(item));
        counted.set(item, counts);
      }
      return counts;
    };
    return {
      d_in,
      sparse: false,
      detector({ id }) {
        const concept = concepts.find((candidate) => candidate.id === id);
        if (!concept) return undefined;
        const { intercept, start, end } = concept;
        const weightOf = new Map<string, number>();
        for (let at = start; at < end; at++) weightOf.set(words[indices[at]!]!, weights[at]!);
        return { scoreItem: (item) => bagOfWordsScore({ intercept, weights: weightOf }, countsOf(item)) };
      },
      dispose: () => {},
    };
  },
});

function requireText(item: Item): string {
  if (item.text === undefined) throw new UserError(`bow: item '${item.id}': expected a text, found none`);
  return item.text;
}
