/**
 * @file The one form that every checkpoint is brought to, whatever program wrote it: sizes, the way from x to codes and
 * back, and where it belongs. `method.ts` computes it; each file of `layouts/` maps one program's files onto it.
 */
import type { FittedState } from '../contract.ts';
import type { Heads } from '../num/ops/kron-encode.ts';
import type { PursuitOptions } from '../num/ops/matching-pursuit.ts';
import { columnsTimes, rowsTimes, times } from './tensors.ts';

/**
 * How codes come from pre-activations. `topk` and `abstopk` keep k of a row, `jumprelu` those above a threshold of the
 * latent's own; `groupmax` keeps the largest of each of k groups; `switch` is TopK of one expert's latents, `kron` of products
 * within heads; `matching_pursuit` has no encoder.
 */
export type Activation =
  | 'relu'
  | 'topk'
  | 'abstopk'
  | 'jumprelu'
  | 'gated'
  | 'groupmax'
  | 'switch'
  | 'kron'
  | 'matching_pursuit';

/** Experts of a Switch SAE: each has d_sae / count latents, side by side. */
export interface Experts {
  count: number;
  /** Codes are not multiplied by the probability of their expert. */
  heaviside: boolean;
}

/**
 * What is done to each row by itself before it is encoded, and undone after it is decoded: `layer_norm` subtracts the
 * row's mean and divides by its standard deviation (of d − 1) plus 1e-5; `constant_norm_rescale` gives it the length √d_in.
 */
export type RowScaling = 'layer_norm' | 'constant_norm_rescale';

/** How a checkpoint treats its input and its codes. */
export interface SaeForm {
  activation: Activation;
  /** b_dec is subtracted from the (scaled) input before it is encoded. */
  centred: boolean;
  /** TopK and AbsTopK choose by pre-activation times decoder norm. */
  rescaleByDecoderNorm: boolean;
  /** Codes are the hyperbolic tangent of what the ReLU lets through (`tanh-relu`). */
  tanh: boolean;
  /** How matching pursuit goes on and stops. */
  pursuit?: PursuitOptions;
  experts?: Experts;
  heads?: Heads;
  rows?: RowScaling;
  /** It reconstructs another site than it reads: nothing that was done to a row is undone. */
  transcodes: boolean;
}

/** What a checkpoint says about itself. */
export interface CheckpointFacts {
  /** Its kind in its own program's word, for people: `jumprelu`, `BatchTopKSAE`. */
  architecture: string;
  d_in: number;
  d_sae: number;
  /** Width of what is reconstructed. */
  d_out: number;
  k?: number;
  /** The site that it was trained on, where the checkpoint says so. */
  hook_name?: string;
  /** It reconstructs another site than it reads; `hook_name_out` where the checkpoint says which. */
  transcodes?: true;
  hook_name_out?: string;
  model_name?: string;
  /** Of that model's files, where this project trained the SAE on a model of its folder. */
  model_fingerprint?: string;
  /** Mean number of active latents that it says it has: k where it keeps k. */
  advertisedL0?: number;
}

/** The same with what is computed. */
export interface CheckpointConfig extends CheckpointFacts {
  form: SaeForm;
  /**
   * Its weights expect inputs times one constant, which brings their mean norm to √d_in: a number where the checkpoint
   * has it, `estimate` where it must be taken from activations. Absent once it is folded into the weights.
   */
  inputScale?: number | 'estimate';
}

/**
 * A checkpoint as plain numbers under SAELens's names: W_enc [d_in, d_sae] (none in matching pursuit), W_dec [d_sae, d_out],
 * b_dec [d_out], and of [d_sae] what the activation needs: b_enc; b_enc and threshold; b_gate, b_mag and r_mag (gated).
 * W_skip [d_out, d_in] where a direct way leads past the codes. Of a Switch SAE W_router [d_in, experts] and b_router [d_in];
 * of a KronSAE W_base and W_extension in W_enc's place.
 */
export interface Checkpoint {
  config: CheckpointConfig;
  tensors: FittedState['tensors'];
}

/** Tensors that each activation needs beside W_enc, W_dec and b_dec; all are [d_sae]. */
export const PER_LATENT: Readonly<Record<Activation, readonly string[]>> = {
  relu: ['b_enc'],
  topk: ['b_enc'],
  abstopk: ['b_enc'],
  jumprelu: ['b_enc', 'threshold'],
  gated: ['b_gate', 'b_mag', 'r_mag'],
  groupmax: ['b_enc'],
  switch: [],
  kron: [],
  matching_pursuit: [],
};

/** The form of a plain SAE: x as it is, a ReLU or what `activation` names; `more` says what is otherwise. */
export const formOf = (activation: Activation, more: Partial<SaeForm> = {}): SaeForm => ({
  activation,
  centred: false,
  rescaleByDecoderNorm: false,
  tanh: false,
  transcodes: false,
  ...more,
});

/**
 * Weights for x from weights for scale · x, as SAELens's `fold_activation_norm_scaling_factor` has them: codes keep the
 * size that they have on scaled inputs. A threshold on pre-activations times decoder norms shrinks as those norms do.
 */
export function foldInputScale({ config, tensors }: Checkpoint, scale: number): Checkpoint {
  const scaled = (name: string, factor: number) => times(tensors[name]!, factor);
  const { inputScale: _folded, ...rest } = config;
  return {
    config: rest,
    tensors: {
      ...tensors,
      W_enc: scaled('W_enc', scale),
      W_dec: scaled('W_dec', 1 / scale),
      b_dec: scaled('b_dec', 1 / scale),
      ...(config.form.rescaleByDecoderNorm && tensors['threshold'] && { threshold: scaled('threshold', 1 / scale) }),
    },
  };
}

/**
 * The same reconstructions with decoder rows of unit length: pre-activations times decoder norms, and so the codes where the
 * activation only lets through what is above a threshold.
 *
 * @param norms Lengths of the decoder's rows; those of zeros stay, and never have a code.
 */
export function unitDecoder(tensors: Checkpoint['tensors'], norms: Float64Array): Checkpoint['tensors'] {
  return {
    ...tensors,
    W_enc: columnsTimes(tensors['W_enc']!, norms),
    b_enc: columnsTimes(tensors['b_enc']!, norms),
    W_dec: rowsTimes(
      tensors['W_dec']!,
      norms.map((norm) => (norm === 0 ? 0 : 1 / norm)),
    ),
  };
}
