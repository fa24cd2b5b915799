/** @file LoRA: a low-rank addition to the attention's output layer. */
import { defineBaseline, type Tensor2D, tf } from '../harness/contract.ts';
import { blocksOf, LAYERS_SCHEMA, type Layers, widthsOf } from './parts/trained/layers.ts';
import { presetOptions, TRAINING_SCHEMA, type TrainingOptions, withPreset } from './parts/trained/presets.ts';
import { type Change, restoreChanges, trainChanges, type Values } from './parts/trained/train-changes.ts';
import { scaledRows } from './parts/trained/weight-changes.ts';

interface Settings extends TrainingOptions {
  rank: number;
  alpha: number;
  layers: Layers;
}

type Options = { preset: string } & Partial<Settings>;

const PRESETS: Record<string, Settings> = {
  small: { epochs: 8, batchTexts: 12, learningRate: 0.003, maxLength: 128, rank: 4, alpha: 32, layers: 'spread' },
  axbench: { epochs: 24, batchTexts: 36, learningRate: 0.0009, maxLength: 1024, rank: 4, alpha: 32, layers: 'spread' },
};

/**
 * y + s · α/√rank · B(A x) at the attention's output layer (`o_proj`), rank-stabilised (Kalajdzievski 2023), trained on
 * responses with the concept; s is the strength, 1 in training. A begins uniform within 1/√in, B at 0, as in PEFT. Without
 * PEFT's dropout (0.05 in AxBench).
 */
export default defineBaseline<Options>({
  id: 'lora',
  title: 'Low-rank adaptation (LoRA)',
  paper: 'Hu et al. 2021, arXiv:2106.09685; Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 1,
  options: presetOptions(
    PRESETS,
    "small: tuned on tiny-lm-planted; axbench: AxBench's own hyper-parameters (18 texts twice as one batch).",
    {
      ...TRAINING_SCHEMA,
      ...LAYERS_SCHEMA,
      rank: { type: 'integer', minimum: 1, maximum: 1024, description: 'Rank of the addition.' },
      alpha: { type: 'number', exclusiveMinimum: 0, description: 'The addition is scaled by alpha / √rank.' },
    },
  ),
  needs: 'gradients',
  modalities: ['text'],
  seeded: true,
  async fit(context) {
    const settings = withPreset(PRESETS, context.options);
    const { rank, alpha, layers, maxLength } = settings;
    const scale = alpha / Math.sqrt(rank);
    const state = await trainChanges(
      {
        ...{ id: 'lora', settings, maxLength, change: lora(scale) },
        start(source, rng) {
          const values: Values = {};
          for (const block of blocksOf('lora', source, layers)) {
            const { in: width, out } = widthsOf('lora', source, block, 'out');
            const [own, bound] = [rng.fork(`${block}`), 1 / Math.sqrt(width)];
            const data = Float32Array.from({ length: rank * width }, () => bound * (2 * own.uniform() - 1));
            values[`${block}.A`] = { shape: [rank, width], data };
            values[`${block}.B`] = { shape: [out, rank], data: new Float32Array(out * rank) };
          }
          return values;
        },
      },
      context,
    );
    return { ...state, json: { ...(state.json as object), scale } };
  },
  restore: (state, { d_in }) => restoreChanges(state, d_in, lora((state.json as { scale: number }).scale)),
});

/** Additions to the output layers of the attentions that parameters are of. */
export const lora =
  (scale: number): Change =>
  (params, strengths) => ({
    additions: Object.keys(params)
      .filter((name) => name.endsWith('.A'))
      .map((name) => {
        const block = name.split('.')[0]!;
        const [A, B] = [params[name] as Tensor2D, params[`${block}.B`] as Tensor2D];
        return {
          block: Number(block),
          layer: 'out' as const,
          apply: (x: Tensor2D) =>
            scaledRows(tf.matMul(tf.matMul(x, A, false, true), B, false, true) as Tensor2D, strengths, scale),
        };
      }),
  });
