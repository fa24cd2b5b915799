/** @file RePS: a vector by preference between responses, that is to work in both directions. */
import { defineBaseline, type Rng, tf } from '../harness/contract.ts';
import { groupTexts } from '../harness/kit/index.ts';
import { restoreDirections } from './parts/concept-directions.ts';
import { lossesAfter, readBatch, streamOf, sumsByText, tokensAtOnce } from './parts/trained/batches.ts';
import { meanNorm } from './parts/trained/mean-norm.ts';
import {
  FACTORS_SCHEMA,
  presetOptions,
  START_SCHEMA,
  TRAINING_SCHEMA,
  type TrainingOptions,
  withPreset,
} from './parts/trained/presets.ts';
import type { Source, TrainingText } from './parts/trained/texts.ts';
import { trainVectors, type VectorStart, type VectorTask } from './parts/trained/train-vectors.ts';
import { repsLoss } from './parts/trained/vector-losses.ts';

interface Settings extends TrainingOptions {
  factors: number[];
  start: VectorStart;
}

type Options = { preset: string } & Partial<Settings>;

const PRESETS: Record<string, Settings> = {
  small: { epochs: 8, batchTexts: 6, learningRate: 0.03, maxLength: 128, factors: [0.1, 0.2, 0.4], start: 'random' },
};
/** Joint norm of gradients at which RePS cuts. */
const CLIP = 1;

/** A response with the concept and one without. */
interface Pair {
  winning: TrainingText;
  losing: TrainingText;
  /** Of the longer one: what their pass takes is twice that. */
  length: number;
}

/**
 * Reference-free preference steering: with the vector added the response with the concept is preferred, with it taken out
 * the one without (`repsLoss`). Pairs are a concept's i-th positive and its i-th negative, each after the prompt that it
 * answers: data sets such as CONCEPT10 have few prompts with both. As in SSV w has length 1 and amounts are drawn from
 * `factors`; the bias that the authors' code trains beside w is left out.
 */
export default defineBaseline<Options>({
  id: 'reps',
  title: 'Reference-free preference steering (RePS)',
  paper: 'Wu et al. 2025 (RePS), arXiv:2505.20809',
  version: 1,
  options: presetOptions(PRESETS, 'small: tuned on tiny-lm-planted.', {
    ...TRAINING_SCHEMA,
    factors: { ...FACTORS_SCHEMA.factors, minItems: 1 },
    ...START_SCHEMA,
  }),
  needs: 'gradients',
  modalities: ['text'],
  seeded: true,
  async fit(context) {
    const settings = withPreset(PRESETS, context.options);
    const { maxLength, factors, start } = settings;
    return trainVectors(
      {
        ...{ id: 'reps', maxLength, unitNorm: true, start },
        settings: { ...settings, clipNorm: CLIP },
        task: (texts, source, rng) => repsTask(texts, source, rng, factors),
      },
      context,
    );
  },
  restore: (state, { d_in }) => restoreDirections(state, d_in, { relu: true }),
});

async function repsTask(
  texts: readonly TrainingText[],
  source: Source,
  rng: Rng,
  factors: readonly number[],
): Promise<VectorTask<Pair>> {
  const [winning, losing] = [true, false].map((positive) => texts.filter((text) => text.positive === positive));
  const unit = await meanNorm(source, texts);
  const likelihoods = await unsteeredLikelihoods(source, texts);
  const examples = Array.from({ length: Math.max(winning!.length, losing!.length) }, (_, i): Pair => {
    const [won, lost] = [winning![i % winning!.length]!, losing![i % losing!.length]!];
    return { winning: won, losing: lost, length: Math.max(won.length, lost.length) };
  });
  return {
    examples,
    objective: (w) => ({
      pieces: (batch) => groupTexts(batch, tokensAtOnce(source) / 2),
      async share(piece, { batch }) {
        const both = [...piece.map((pair) => pair.winning), ...piece.map((pair) => pair.losing)];
        const reference = Float32Array.from(both, (text) => likelihoods.get(text)!);
        const read = { ...(await readBatch(source, both)), reference };
        const amounts = both.map(() => factors[rng.int(factors.length)]! * unit);
        return () => repsLoss(source, read, w, { amounts, pairs: batch.length });
      },
    }),
  };
}

/** ln p of each text's response as the subject is. */
async function unsteeredLikelihoods(
  source: Source,
  texts: readonly TrainingText[],
): Promise<Map<TrainingText, number>> {
  const found = new Map<TrainingText, number>();
  for (const group of groupTexts(texts, tokensAtOnce(source))) {
    const batch = await readBatch(source, group);
    const sums = tf.tidy(() => sumsByText(batch, lossesAfter(source, batch, streamOf(batch).x)));
    const values = await sums.data();
    sums.dispose();
    for (const [i, text] of group.entries()) found.set(text, -values[i]!);
  }
  return found;
}
