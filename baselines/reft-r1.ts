/** @file ReFT-r1: one vector that detects the concept and steers to it, trained through the subject (AxBench's own method). */
import { defineBaseline } from '../harness/contract.ts';
import { groupTexts } from '../harness/kit/index.ts';
import { restoreDirections } from './parts/concept-directions.ts';
import { readBatch, responseLength, tokensAtOnce } from './parts/trained/batches.ts';
import {
  presetOptions,
  START_SCHEMA,
  TRAINING_SCHEMA,
  type TrainingOptions,
  withPreset,
} from './parts/trained/presets.ts';
import type { Source, TrainingText } from './parts/trained/texts.ts';
import { trainVectors, type VectorStart, type VectorTask } from './parts/trained/train-vectors.ts';
import { reftLoss } from './parts/trained/vector-losses.ts';

interface Settings extends TrainingOptions {
  topk: number;
  l1: number;
  start: VectorStart;
}

type Options = { preset: string } & Partial<Settings>;

const PRESETS: Record<string, Settings> = {
  small: { epochs: 4, batchTexts: 6, learningRate: 0.01, maxLength: 128, topk: 4, l1: 0.0005, start: 'constant' },
  axbench: { epochs: 3, batchTexts: 6, learningRate: 0.01, maxLength: 1024, topk: 8, l1: 0.005, start: 'constant' },
};
/** Joint norm of gradients at which AxBench cuts. */
const CLIP = 1;

/**
 * Rank-1 ReFT (`LsReFT`): detection z = ReLU(x·w); steering adds the mean of a text's k largest z times w; the loss is the
 * language model's on responses, with and without the concept, and λ times the mean of the other z, where λ rises linearly
 * to `l1` (as in AxBench's code). w has length 1 throughout: AxBench scales it before each step, so that its own is off by a step.
 * How well it steers hangs on the settings: of seven tried on tiny-lm-planted, at four concepts, 0.38 (l1 0.5) to 1.44 (the default).
 */
export default defineBaseline<Options>({
  id: 'reft-r1',
  title: 'Rank-1 representation finetuning (ReFT-r1)',
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 1,
  options: presetOptions(
    PRESETS,
    "small: of seven settings tried on tiny-lm-planted the best; axbench: AxBench's own hyper-parameters.",
    {
      ...TRAINING_SCHEMA,
      topk: {
        type: 'integer',
        minimum: 1,
        maximum: 65536,
        description: 'Positions whose mean latent is the strength.',
      },
      l1: {
        type: 'number',
        minimum: 0,
        description: 'Weight of the L1 of the other positions at the end of training.',
      },
      ...START_SCHEMA,
    },
  ),
  needs: 'gradients',
  modalities: ['text'],
  seeded: true,
  async fit(context) {
    const settings = withPreset(PRESETS, context.options);
    const { start, maxLength } = settings;
    return trainVectors(
      {
        ...{ id: 'reft-r1', maxLength, unitNorm: true, start },
        settings: { ...settings, clipNorm: CLIP },
        task: async (texts, source) => reftTask(texts, source, settings),
      },
      context,
    );
  },
  restore: (state, { d_in }) => restoreDirections(state, d_in, { relu: true }),
});

function reftTask(examples: readonly TrainingText[], source: Source, { topk, l1 }: Settings): VectorTask<TrainingText> {
  return {
    examples,
    objective: (w) => ({
      pieces: (batch) => groupTexts(batch, tokensAtOnce(source)),
      async share(piece, { batch, step, steps }) {
        const read = await readBatch(source, piece);
        const tokens = batch.reduce((sum, text) => sum + responseLength(text), 0);
        const options = { topk, l1: (l1 * step) / steps, tokens, texts: batch.length };
        return () => reftLoss(source, read, w, options);
      },
    }),
  };
}
