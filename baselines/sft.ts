/** @file Supervised finetuning of the blocks' linear layers, as additions to what they give: small subjects only. */
import { defineBaseline, type LinearLayer, type Tensor2D, tf, UserError } from '../harness/contract.ts';
import { presetOptions, TRAINING_SCHEMA, type TrainingOptions, withPreset } from './parts/trained/presets.ts';
import type { Source } from './parts/trained/texts.ts';
import { type Change, restoreChanges, trainChanges, type Values } from './parts/trained/train-changes.ts';
import { scaledRows } from './parts/trained/weight-changes.ts';

type Options = { preset: string } & Partial<TrainingOptions>;

const PRESETS: Record<string, TrainingOptions> = {
  small: { epochs: 4, batchTexts: 12, learningRate: 0.001, maxLength: 128 },
  axbench: { epochs: 8, batchTexts: 72, learningRate: 0.00004, maxLength: 1024 },
};
/** Joint norm of gradients at which AxBench cuts. */
const CLIP = 1;
/** Numbers of a concept's change: its parameters, their gradients and two moments are 256 MiB then. */
const MOST_NUMBERS = 2 ** 24;

/**
 * Each linear layer W of each block becomes W + s · ΔW, with ΔW from 0, trained on responses with the concept; s is the
 * strength, 1 in training. Loaded weights are packed constants, so that ΔW stands beside them. AxBench trains embeddings and
 * norms too.
 */
export default defineBaseline<Options>({
  id: 'sft',
  title: 'Supervised finetuning of all linear layers (SFT)',
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 1,
  options: presetOptions(
    PRESETS,
    "small: tuned on tiny-lm-planted; axbench: AxBench's own hyper-parameters (18 texts four times as one batch).",
    TRAINING_SCHEMA,
  ),
  needs: 'gradients',
  modalities: ['text'],
  seeded: true,
  async fit(context) {
    const settings = withPreset(PRESETS, context.options);
    return trainChanges(
      {
        ...{ id: 'sft', settings: { ...settings, clipNorm: CLIP }, maxLength: settings.maxLength, change: finetuned },
        start: zeros,
      },
      context,
    );
  },
  restore: (state, { d_in }) => restoreChanges(state, d_in, finetuned),
});

/** ΔW [in, out] of each layer. @throws UserError where the subject is too large, or does not say its layers */
function zeros({ lm }: Source): Values {
  const layers = lm.linearLayers ?? [];
  const size = layers.reduce((sum, layer) => sum + layer.in * layer.out, 0);
  if (layers.length === 0)
    throw new UserError(`sft: expected a subject whose linear layers can be added to; ${lm.id} names none`);
  if (size > MOST_NUMBERS) {
    throw new UserError(
      `sft: expected a subject of at most ${MOST_NUMBERS} weights in its blocks' linear layers, each of which is trained ` +
        `and kept for every concept; ${lm.id} has ${size}: take lora`,
    );
  }
  return Object.fromEntries(
    layers.map(({ block, layer, in: width, out }) => [
      `${block}.${layer}`,
      { shape: [width, out], data: new Float32Array(width * out) },
    ]),
  );
}

/** Additions of x · ΔW to the layers that parameters are of. */
export const finetuned: Change = (params, strengths) => ({
  additions: Object.entries(params).map(([name, change]) => {
    const [block, layer] = name.split('.') as [string, LinearLayer];
    return {
      block: Number(block),
      layer,
      apply: (x: Tensor2D) => scaledRows(tf.matMul(x, change as Tensor2D), strengths),
    };
  }),
});
