/** @file Pairs of texts for the model of five words, of which every loss can be worked out: for the tests of steering by likelihood. */
import * as assert from 'uvu/assert';
import type { LikelihoodOptions } from '../../tasks/steering/likelihood/options.ts';
import task from '../../tasks/steering-likelihood.ts';
import {
  type ActivationSet,
  type ConceptSet,
  type FittedMethod,
  type Item,
  type LanguageModel,
  type TaskContext,
  type Tensor1D,
  tf,
} from '../contract.ts';
import { createRng, utilityOdds } from '../kit/index.ts';
import { checkedRows } from '../results/rows.ts';
import { memoryActivations, memoryLabelled } from './activations.ts';
import { taskTools } from './task-tools.ts';
import { oneHot, wordModel } from './word-model.ts';

const OPTIONS: LikelihoodOptions = {
  concepts: 8,
  pairs: 4,
  tokens: 8,
  factors: [0.5, 1, 2, 50],
  extend: 0,
  interventions: ['add', 'clamp'],
  selection: 'auroc',
  positions: 'all',
  positionCount: 4,
  gate: 'utility-odds',
  bound: 0.25,
  documents: 4,
  fixedFactor: 1,
  leastGain: 0.1,
  combinations: 4,
};

/** Logits after each word of `wordModel`; steering along axis 3 by s adds s to the logit of `concept` after every word. */
const AFTER: Record<string, number[]> = { go: [0, 0, 4, 0, 1], concept: [0, 0, 0, 1, 0], other: [0, 0, 0, 0, 0] };
export const loss = (before: string, word: 'concept' | 'other', s: number) => {
  const logits = AFTER[before]!.map((logit, i) => logit + (i === 3 ? s : 0));
  return Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[word === 'concept' ? 3 : 4]!;
};
/** Mean loss of the four words after `go`. */
export const textLoss = (word: 'concept' | 'other', s: number) => (loss('go', word, s) + 3 * loss(word, word, s)) / 4;
export const prefGain = (s: number) =>
  textLoss('other', s) - textLoss('concept', s) - (textLoss('other', 0) - textLoss('concept', 0));
export const utility = (s: number) =>
  utilityOdds({ positive: textLoss('concept', s), negative: textLoss('other', s) }) ?? Number.NaN;

/** Four words after a prompt of i + 1 words: texts of the same words would be one. */
export const text = (word: string, i: number) => ({
  text: `${'go '.repeat(i + 1)}${Array(4).fill(word).join(' ')}`,
  responseStart: 3 * (i + 1),
});
/** Four pairs, and one training positive whose row has 2 along the concept's axis: factor 1 adds 2. */
export const items: Item[] = [
  ...Array.from({ length: 4 }, (_, i) => ({ id: `p${i}`, ...text('concept', i) })),
  ...Array.from({ length: 4 }, (_, i) => ({ id: `n${i}`, ...text('other', i) })),
  { id: 'train', text: 'concept' },
  { id: 'train without', text: 'go other' },
];
const set: ConceptSet = {
  concepts: [{ id: 'c', label: 'concept' }],
  items,
  examples: items.map(({ id }, item) => ({
    concept: 0,
    item,
    split: id.startsWith('train') ? 'train' : 'eval',
    role: item < 4 || id === 'train' ? 'positive' : 'negative',
  })),
};

/** The same with a second concept, which the same texts show. */
export const twoConcepts: ConceptSet = {
  ...set,
  concepts: [...set.concepts, { id: 'd', label: 'concept' }],
  examples: [...set.examples, ...set.examples.map((each) => ({ ...each, concept: 1 }))],
};

/** A subject's own activations of items: at `resid` of the model of words what stands for each word. */
export function wordActivations(model: LanguageModel, of: readonly Item[]): ActivationSet {
  const ids = of.map((item) => model.tokenizer.encode(item.text!).ids);
  const rows = ids.map((own, i) => own.map((id) => oneHot(id).map((value) => (of[i]!.id === 'train' ? 2 : 1) * value)));
  return memoryActivations(rows, { tokenIds: ids });
}

const documents: Item[] = Array.from({ length: 4 }, (_, i) => ({ id: `d${i}`, text: 'go other other other other' }));

/** Outcomes of methods on these pairs. */
export async function steerPairs(
  methods: FittedMethod[],
  options: Partial<LikelihoodOptions> = {},
  which = task,
  given = items,
  concepts = set,
) {
  const subject = wordModel();
  const labelled = memoryLabelled({ ...concepts, items: given }, wordActivations(subject, given));
  const test = wordActivations(subject, documents);
  const context = {
    options: { ...OPTIONS, ...options },
    subject,
    site: subject.sites[0]!,
    dataset: { id: 'words', modality: 'text' as const, fingerprint: '', corpus: async () => [] },
    test,
    testItems: documents,
    train: labelled.activations,
    labelled,
    rng: createRng(0),
    seed: 0,
    progress: () => {},
  } satisfies Partial<TaskContext<LikelihoodOptions>>;
  assert.is(which.unavailable!(context), undefined);
  const before = tf.memory().numTensors;
  const prepared = await which.prepare!(context);
  const outcomes = [];
  for (const method of methods) {
    const outcome = await which.run({
      ...context,
      ...taskTools(method),
      prepared,
      method: { ...method, id: 'fake', kind: 'sae' },
    });
    outcomes.push({ ...outcome, rows: checkedRows(outcome, which.metrics, which.id) });
  }
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  return outcomes;
}

export const axis = (i: number): FittedMethod => ({
  d_in: 5,
  sparse: false,
  detector: () => ({
    direction: Float32Array.from(oneHot(i)),
    score: (x) => tf.squeeze(tf.slice(x, [0, i], [-1, 1]), [1]) as Tensor1D,
  }),
  dispose: () => {},
});
export const near = (found: number | null | undefined, expected: number, what?: string) =>
  assert.ok(typeof found === 'number' && Math.abs(found - expected) < 1e-5, `${what}: ${found}, not ${expected}`);
