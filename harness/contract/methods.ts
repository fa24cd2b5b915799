/** @file Baselines, and what a fitted method of any kind offers to tasks. */

import type { Csr } from '../num/csr.ts';
import type { Rng } from '../num/rng.ts';
import type { Tensor1D, Tensor2D } from '../num/tf.ts';
import type { ActivationSet, ChatFormat, Concept, ConceptSet, Item, Modality, Split, SteeringPrompt } from './data.ts';
import type { OptionsSchema, Plugin } from './plugin.ts';
import type { Codes } from './sae.ts';
import type { Subject, SubjectChange } from './subject.ts';

/** Items with what was collected of them: item i of `items` is item i of the activations, its tokens their `tokenIds`. */
export interface CollectedItems {
  items: readonly Item[];
  activations: ActivationSet;
}

/** Per-concept detector and steering direction of a supervised method. */
export interface ConceptDetector {
  /** Score of each row of x [n, d_in] → [n]; higher means more of the concept. */
  score?(x: Tensor2D): Tensor1D;
  /** Score of a raw item, for methods that read text rather than activations. */
  scoreItem?(item: Item): number;
  /**
   * Scores of the items at `places` of a set, one each, for methods that read whole items through the subject. Wins over
   * the other two.
   */
  scoreItems?(collected: CollectedItems, places: Uint32Array, signal?: AbortSignal): Promise<Float32Array>;
  /** Unit vector [d_in] to steer along. */
  direction?: Float32Array;
  /**
   * Of methods that add no vector: their own way to change the subject. `strengths`: one for each row of the batch that the
   * change is for; 1 is the change as it was trained, 0 none.
   */
  intervene?(strengths: readonly number[]): SubjectChange;
}

/** What a method costs. */
export interface MethodCost {
  /** Numbers that the fitted method keeps, and their bytes. */
  parameters: number;
  bytes: number;
  /** Multiply-accumulates per token; absent where nothing declares them. */
  macs?: { encode: number; decode: number };
}

/** How a method was trained, as it was on the machine that trained it. */
export interface TrainingSpeed {
  /** Vectors a second: batch size ÷ the median time of a step, with its 95 % interval (null of fewer than six steps). */
  tokensPerSecond: { value: number; ci95: [number, number] | null; steps: number };
  /** Most bytes of tensors during a step: weights, moments, gradients and activations. Absent of a run of one step. */
  peakBytes?: number;
}

/** A method ready to be scored. It offers what it can; a task that needs what is missing reports an empty cell. */
export interface FittedMethod {
  d_in: number;
  /** Width of what is reconstructed, where that is another site. */
  d_out?: number;
  /** Number of latents (or neurons, components, directions); absent for supervised methods. */
  d_sae?: number;
  /** Whether codes are mostly zero and non-negative by construction, so that "fires" has a meaning. */
  sparse: boolean;
  /** Whether both serve rows of any grid: of n times d_in numbers, with n times d_sae latents. */
  resolutionFree?: boolean;
  encode?(x: Tensor2D): Codes;
  /** `x` [n, d_in] are the rows that the codes are of; without them only where it is not {@link rowScaled}. */
  decode?(codes: Codes, x?: Tensor2D): Tensor2D;
  /**
   * Each row is scaled by itself before it is encoded (a layer norm), and `decode` brings its size back: it needs the rows,
   * and what one unit of a latent adds is another for each.
   */
  rowScaled?: true;
  /** What the reconstruction of x [n, d_in] has beside what is decoded: the direct way of a skip transcoder. */
  skip?(x: Tensor2D): Tensor2D;
  /** Unit directions, row-major [d_sae, d_in]: what steering along a latent adds. */
  directions?(): Float32Array;
  /** Names of latents, where labels exist: index → label. */
  labels?: Record<number, string>;
  /** Filled in by the harness. */
  cost?: MethodCost;
  /** Of an SAE that was trained by this run, or an earlier one on the same store. Filled in by the harness. */
  training?: TrainingSpeed;
  detector?(concept: Concept): ConceptDetector | undefined;
  /**
   * A text that is to show the concept after the prompt, written without the subject. Of a method that has this, judged tasks rate
   * these texts, cut to the length of generated ones, in place of steered ones.
   */
  write?(concept: Concept, prompt: SteeringPrompt): string;
  /**
   * The prompt that asks for the concept, in place of `prompt`: the subject generates from it, and nothing in the subject is
   * changed.
   */
  ask?(concept: Concept, prompt: SteeringPrompt): string;
  dispose(): void;
}

/** Latents of items after pooling over positions. */
export type PooledLatents = {
  items: number;
  d_sae: number;
  /** Mean number of non-zero latents of a kept position. */
  l0: number;
} & (
  | { kind: 'sparse'; max: Csr }
  | {
      kind: 'dense';
      /** Row-major [items, d_sae]. */
      max: Float32Array;
      /** The minimum over positions, the other end of a signed code; row-major [items, d_sae]. */
      min: Float32Array;
    }
);

/** Labelled items with their activations: what supervised methods fit on and detection is scored on. */
export interface LabelledActivations {
  set: ConceptSet;
  /** Item i of `set.items` is item i of the activation set. */
  activations: ActivationSet;
  /** Items of a concept with their labels, hard negatives left out unless asked for. */
  examples(
    concept: number,
    split: Split,
    options?: { hardNegatives?: boolean },
  ): { items: Uint32Array; labels: Uint8Array };
}

export interface FitContext<O> {
  options: O;
  rng: Rng;
  /** Unlabelled training activations. */
  activations: ActivationSet;
  /** Present where the dataset has concepts and the baseline declares that it needs labels or text. */
  labelled?: LabelledActivations;
  /** Present for `needs: 'gradients'` and `needs: 'subject'`. */
  subject?: Subject;
  /** There where `subject` is: how its own chat template writes conversations; gives undefined where it has none. */
  chat?(): Promise<ChatFormat | undefined>;
  site: string;
  signal?: AbortSignal;
  progress(done: number, total: number, note?: string): void;
}

/** What `fit` hands to the store: numbers and JSON, nothing live. */
export interface FittedState {
  tensors: Record<string, { shape: number[]; data: Float32Array }>;
  json?: unknown;
  /** What a reader of the results must know about this fit. */
  marks?: Mark[];
}

/** A remark that stands in the results and on the console. */
export interface Mark {
  /** Stable name: lower-case words with dashes. */
  code: string;
  /** One sentence with the numbers. */
  message: string;
}

/** What a method works on. */
export type MethodNeeds = 'nothing' | 'activations' | 'labels' | 'subject' | 'gradients' | 'text';

export interface RestoreContext<O> {
  d_in: number;
  options: O;
  concepts?: Concept[];
  /** Present for `needs: 'gradients'` and `needs: 'subject'`, with the site. */
  subject?: Subject;
  site?: string;
  /** As in {@link FitContext}. */
  chat?: FitContext<O>['chat'];
}

export interface BaselineDefinition<O = Record<string, unknown>> extends Plugin {
  options: OptionsSchema;
  /** `subject`: labels, and the subject itself, to be asked; `gradients`: the same, for gradients through it. */
  needs: MethodNeeds;
  /** A null row: knows nothing of what is measured, so tables show it without a rank. */
  nullRow?: boolean;
  /** Modalities it works on; all when omitted. */
  modalities?: Modality[];
  /** Whether two seeds give two results; one seed is run otherwise. */
  seeded: boolean;
  /** Checks of options that JSON Schema cannot express, before anything is computed; throws `UserError`. */
  validate?(shape: { d_in: number }, options: O): void;
  fit(context: FitContext<O>): Promise<FittedState>;
  /** Rebuilds the method from the stored state. */
  restore(state: FittedState, context: RestoreContext<O>): FittedMethod;
}
