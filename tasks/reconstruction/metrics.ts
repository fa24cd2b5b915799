/** @file The metrics of the task, with their definitions. */
import type { MetricDefinition } from '../../harness/contract.ts';
import { decoderVersion, reconstructionVersion } from '../../harness/kit/index.ts';

type Direction = MetricDefinition['direction'];

function metric(
  description: string,
  direction: Direction,
  range: MetricDefinition['range'],
  unit = '',
): MetricDefinition {
  return { description, direction, range, unit, version: 1 };
}

/** Metrics defined in num/metrics/reconstruction.ts. */
function shared(...given: Parameters<typeof metric>): MetricDefinition {
  return { ...metric(...given), version: reconstructionVersion };
}

/** Of the codes alone. */
export const CODE_METRICS: Record<string, MetricDefinition> = {
  l0: shared('Mean number of non-zero latents of a kept position.', 'none', [0, null], 'latents'),
  l1: shared('Mean Σ|f| of a kept position.', 'none', [0, null]),
  fraction_alive: shared(
    'Share of latents that fired on at least one kept position; grows with the number of positions.',
    'max',
    [0, 1],
  ),
  freq_over_1_percent: shared('Share of latents that fire on more than 1 % of kept positions.', 'none', [0, 1]),
  freq_over_10_percent: shared('Share of latents that fire on more than 10 % of kept positions.', 'none', [0, 1]),
};

/** Of the directions that latents add. */
export const DECODER_METRICS: Record<string, MetricDefinition> = {
  max_decoder_cosine: {
    ...metric(
      'Mean over latents of the greatest cosine with another latent’s direction; near 1 where latents repeat.',
      'none',
      [-1, 1],
    ),
    version: decoderVersion,
  },
};

/** Of the reconstruction x̂ of the kept positions. */
export const RECONSTRUCTION_METRICS: Record<string, MetricDefinition> = {
  explained_variance: {
    ...shared('1 − E‖x − x̂‖² ÷ (E‖x‖² − ‖E x‖²); 0 for predicting the mean.', 'max', [null, 1]),
    main: true,
  },
  explained_variance_legacy: shared(
    "Mean over positions of 1 − ‖x − x̂‖² ÷ ‖x − mean of the batch‖²: what SAEBench's paper shows; depends on batches.",
    'none',
    [null, 1],
  ),
  mse: shared('Mean ‖x − x̂‖² of a kept position, summed over d_in.', 'min', [0, null]),
  nmse: shared('E‖x − x̂‖² ÷ E‖x − E x‖²; 1 for predicting the mean.', 'min', [0, null]),
  cosine: shared('Mean cosine of x and x̂.', 'max', [-1, 1]),
  l2_ratio: shared('Shrinkage: mean ‖x̂‖ ÷ ‖x‖, 1 where ‖x‖ < 10⁻⁴.', 'none', [0, null]),
  l2_norm_in: shared('Mean ‖x‖.', 'none', [0, null]),
  l2_norm_out: shared('Mean ‖x̂‖.', 'none', [0, null]),
  relative_reconstruction_bias: shared('Shrinkage: E‖x̂‖² ÷ E x·x̂; below 1 where x̂ is too short.', 'none', [null, null]),
};

/** Of training rows beside the held-out ones, with the same weights and the same rule of inference. */
export const GAP_METRICS: Record<string, MetricDefinition> = {
  explained_variance_training: shared(
    'Explained variance of a sample of the training rows, at most 2,048 and no more than held-out ones.',
    'none',
    [null, 1],
  ),
  generalisation_gap: shared(
    'Explained variance of training rows less that of held-out rows; marked above 0.05 where its interval excludes 0.',
    'none',
    [null, null],
  ),
};

/** Of a language model with x̂ in place of x at the kept positions; positions are those whose next token is known. */
export const LM_METRICS: Record<string, MetricDefinition> = {
  ce: metric('Cross-entropy of the next token with x̂ spliced in at the kept positions.', 'min', [0, null], 'nats'),
  ce_clean: metric('Cross-entropy of the untouched model on the same tokens.', 'none', [0, null], 'nats'),
  ce_zero: metric('Cross-entropy with zero at the kept positions.', 'none', [0, null], 'nats'),
  ce_mean: metric(
    'Cross-entropy with the mean kept training activation at the kept positions.',
    'none',
    [0, null],
    'nats',
  ),
  ce_loss_score: metric('(CE zero − CE) ÷ (CE zero − CE clean); undefined where zeros cost nothing.', 'max', [
    null,
    null,
  ]),
  ce_loss_score_mean: metric('(CE mean − CE) ÷ (CE mean − CE clean); undefined where the mean costs nothing.', 'max', [
    null,
    null,
  ]),
  kl: metric('KL(untouched ‖ spliced) of the next-token distributions.', 'min', [0, null], 'nats'),
  kl_score: metric('1 − KL ÷ KL of zero ablation.', 'max', [null, 1]),
  kl_score_mean: metric('1 − KL ÷ KL of mean ablation.', 'max', [null, 1]),
};

/** Of a CLIP with x̂ in place of x at a site of the vision tower. */
export const CLIP_METRICS: Record<string, MetricDefinition> = {
  zero_shot_accuracy: metric(
    'Zero-shot accuracy with x̂ spliced in, over all zero-shot tasks and items.',
    'max',
    [0, 1],
  ),
  zero_shot_change: metric('Zero-shot accuracy with x̂ less that of the untouched CLIP.', 'max', [-1, 1]),
  logit_change: metric('Mean |Δ logit| over images and texts (classes, else captions).', 'min', [0, null], 'logits'),
  retrieval_change_image_to_text: metric('Change of R@1 from image to caption among the test items.', 'max', [-1, 1]),
  retrieval_change_text_to_image: metric('Change of R@1 from caption to image among the test items.', 'max', [-1, 1]),
};
