/** @file SAE variants: what one defines, and what its training and its loss see. */

import type { Rng } from '../num/rng.ts';
import type { NamedTensors, Scalar, Tensor, Tensor1D, Tensor2D } from '../num/tf.ts';
import type { OptionsSchema, Plugin } from './plugin.ts';

/** Latents of a batch of n inputs. `topk` never materialises [n, d_sae]. */
export type Codes =
  | { kind: 'dense'; values: Tensor2D }
  | { kind: 'topk'; indices: Tensor2D; values: Tensor2D; d_sae: number };

/** Sizes of a dictionary. `input` keeps the shape of structured inputs (e.g. [C, H, W]); x itself is always flat. */
export interface SaeShape {
  d_in: number;
  d_sae: number;
  /** Width of the target: `d_in` unless a transcoder reconstructs another site. */
  d_out: number;
  input?: number[];
}

/** What `loss` sees: a batch of normalised activations. */
export interface SaeBatch {
  x: Tensor2D;
  /** What is reconstructed; `x` itself unless the variant declares `data.target`. */
  target: Tensor2D;
  /** Activations of the preceding position, when the variant declares `data.previous`. */
  previous?: Tensor2D;
}

/** Bookkeeping that the trainer keeps and checkpoints. */
export interface TrainState {
  /** Steps done and to be done. */
  step: number;
  steps: number;
  tokens: number;
  /** [d_sae]: 1 where a latent has not fired for `deadAfterTokens` tokens, else 0. */
  dead: Tensor1D;
  deadCount: number;
  /** Numbers of the variant's own that must survive a resume (a threshold's moving average, a rescaled λ). */
  scalars: Record<string, number>;
  /** Tensors of the variant's own that are not trained but must survive a resume. */
  buffers: NamedTensors;
  /** Random stream of this step: the same after a resume. */
  rng: Rng;
  /** What the latest `loss` gave, as numbers: this step's in `beforeStep` and `afterStep`, the step before's in `loss`. */
  last?: { l0: number; parts: Record<string, number>; carry?: Record<string, number> };
}

export interface SaeLoss {
  /** To be minimised. */
  total: Scalar;
  /** Named terms for the progress line and the training curves, e.g. `mse`, `aux`, `sparsity`. */
  parts: Record<string, Scalar>;
  /** Numbers for this step's `afterStep` and the next `loss`, which find them in `state.last.carry`; they survive a resume. */
  carry?: Record<string, number>;
  codes: Codes;
  reconstruction: Tensor2D;
}

/** Options of the one trainer; a variant sets the ones that its recipe prescribes, a suite may override them. */
export interface TrainingOptions {
  tokens: number;
  batchSize: number;
  lr: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Global gradient-norm clip; 0 = none. */
  clip: number;
  /** Steps of linear warm-up as a fraction of all steps, or an absolute number when ≥ 1. */
  lrWarmup: number;
  lrDecay: 'none' | 'linear' | 'cosine';
  /** The last fraction of the steps over which the learning rate falls. */
  lrDecayFraction: number;
  /** `mean-norm`: x is scaled by one constant so that E‖x‖ = √d_in, folded back into the weights after training. */
  normalise: 'none' | 'mean-norm';
  deadAfterTokens: number;
  checkpointEverySteps: number;
}

/** Latents that begin anew in the midst of training. */
export interface Restart {
  /** New values of params; only the changed ones. */
  params: NamedTensors;
  /** By param, of a shape that broadcasts to its own: 1 where Adam's moments go back to 0, else 0. */
  forget: NamedTensors;
}

/** How long a run is: recipes scale with it. */
export interface RunLength {
  tokens: number;
  batchSize: number;
  steps: number;
  /** What `steps` would be at the batch that these tokens have by default. */
  usualSteps: number;
}

/** A number that training steers between bounds of its own. */
export interface Controller {
  /** In words, for a sentence. */
  name: string;
  value: number;
  low: number;
  high: number;
}

/** SAELens' file format: what `cfg.json` and `sae_weights.safetensors` hold. */
export interface SaeLensExport {
  architecture: 'standard' | 'gated' | 'jumprelu' | 'topk' | string;
  /** Further keys of `cfg.json`, e.g. `{ k: 32, apply_b_dec_to_input: true }`. */
  cfg: Record<string, unknown>;
  tensors: Record<string, Tensor>;
}

export interface SaeDefinition<H = Record<string, unknown>> extends Plugin {
  /** The variant's own hyper-parameters; `d_sae` and the training options exist for every variant. */
  hyperparameters: OptionsSchema;
  /** false where codes are signed or dense, so that "fires" has no meaning (VAEase). Default true. */
  sparse?: boolean;
  /** Whether `encode` and `decode` serve rows of any grid: of n times d_in numbers, with n times d_sae latents. */
  resolutionFree?: boolean;
  /** How `encode` chooses the active latents, in a few words for results: its rule may differ from training's. */
  inference?: string;
  /** Checks that JSON Schema cannot express, e.g. k ≤ d_sae; throws `UserError`. */
  validate?(shape: SaeShape, hp: H): void;
  /** The recipe for a run of this length. A batch size or a number of tokens of its own comes back as the next `run`. */
  training?(shape: SaeShape, hp: H, run: RunLength): Partial<TrainingOptions>;
  /** L0 that training aims at; null without one. Results whose L0 misses it by over 10 % are marked. */
  targetL0?(hp: H): number | null;
  /** The variant's controllers as they ended: results with one at its bound are marked. */
  controllers?(scalars: Readonly<Record<string, number>>, hp: H): Controller[];
  data?: {
    /** Needs the preceding token's activation. */
    previous?: boolean;
    /** Reconstructs the activations of another site of the same subject. */
    target?: 'other-site';
  };
  /** Start values. `sample` holds up to 8,192 normalised activations (for a geometric median, centroids, …). */
  init(
    shape: SaeShape,
    hp: H,
    env: { rng: Rng; sample: Tensor2D; targetSample: Tensor2D },
  ): { params: NamedTensors; buffers?: NamedTensors };
  /** x [n, d_in] → codes, with the inference rule (fixed threshold, no noise). */
  encode(params: NamedTensors, x: Tensor2D, hp: H): Codes;
  /** codes → reconstruction [n, d_out]. */
  decode(params: NamedTensors, codes: Codes, hp: H): Tensor2D;
  /** What the reconstruction [n, d_out] has beside what is decoded, for variants with a direct way from x. */
  skip?(params: NamedTensors, x: Tensor2D, hp: H): Tensor2D;
  /** Differentiable in `params`; runs inside `tf.variableGrads`. */
  loss(params: NamedTensors, batch: SaeBatch, state: TrainState, hp: H): SaeLoss;
  /**
   * Names of params [rows, width] whose rows the trainer keeps at unit length: each gradient loses its component along the
   * row (Bricken et al. 2023), and the rows are rescaled after each step. `init` must give them unit length.
   */
  unitRows?(hp: H): readonly string[];
  /** Changes gradients before the optimiser. */
  beforeStep?(grads: NamedTensors, params: NamedTensors, state: TrainState, hp: H): NamedTensors;
  /** New values of params after the optimiser (e.g. a clamped threshold); only the changed ones are returned. */
  afterStep?(params: NamedTensors, state: TrainState, hp: H): NamedTensors;
  /** After `afterStep`, with the batch of the step: latents to begin anew (Bricken et al.'s resampling), if any. */
  restart?(params: NamedTensors, batch: SaeBatch, state: TrainState, hp: H): Restart | undefined;
  /** Once after training: params used by `encode`/`decode` from then on (folded norms, a fixed threshold). */
  toInference?(params: NamedTensors, state: TrainState, hp: H): NamedTensors;
  /**
   * Folds an input scale back: given params fitted on s·x (targets s·x too), returns params for x. Required where
   * `training` may choose `normalise: 'mean-norm'`.
   */
  foldScale?(params: NamedTensors, scale: number, hp: H): NamedTensors;
  /** Decoder rows [d_sae, d_out], where latents have fixed directions. */
  directions(params: NamedTensors, hp: H): Tensor2D;
  /**
   * Multiply-accumulates per token at inference. Decoding counts what the active latents cost where codes are sparse, at
   * the L0 that is aimed at; all latents where none is.
   */
  macs?(shape: SaeShape, hp: H): { encode: number; decode: number };
  toSaeLens?(params: NamedTensors, hp: H): SaeLensExport;
}
