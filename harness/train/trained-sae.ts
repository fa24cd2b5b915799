/** @file What training gives: inference weights, the curve, and the ways to keep and use them. */
import type {
  FittedMethod,
  FittedState,
  Mark,
  SaeDefinition,
  SaeShape,
  TrainingOptions,
  TrainingSpeed,
  TrainState,
} from '../contract.ts';
import { type NamedTensors, tf } from '../num/tf.ts';
import type { CurvePoint } from './curve.ts';
import { fittedFromSae, saeState } from './fitted-sae.ts';
import type { HeldOutPoint } from './held-out.ts';
import { writeSaeLens } from './saelens-write.ts';

export interface TrainedSae {
  /** Id of the variant. */
  variant: string;
  shape: SaeShape;
  /** Resolved hyper-parameters and training options. */
  hp: Record<string, unknown>;
  training: TrainingOptions;
  seed: number;
  steps: number;
  tokens: number;
  /** Factor that the inputs were multiplied by while training; already folded into the weights. */
  scale: number;
  /** The variant's own numbers at the end, e.g. the sparsity coefficient that a controller reached. */
  scalars: Record<string, number>;
  /** What a reader must know about this run. */
  marks: Mark[];
  /** Looks at held-out rows, the last one at the end and at more rows; empty where none were given. */
  heldOut: HeldOutPoint[];
  /** At most 200 points, the last one at the end. */
  curve: CurvePoint[];
  /** Of this call's own steps; absent where it had none to time. */
  speed?: TrainingSpeed;
  /** As a method. It shares the weights: dispose of one of the two. */
  method: FittedMethod;
  /** Weights and what is needed to use them, for the store; read back by `restoreSae`. */
  state(): FittedState;
  /**
   * Writes `cfg.json` and `sae_weights.safetensors` as SAELens does.
   *
   * @param metadata Goes into `cfg.json` under `metadata`, e.g. `{ model_name, hook_name }`.
   * @throws UserError when the variant has no SAELens form, or the folder cannot be written.
   */
  writeSaeLens(folder: string, metadata?: Record<string, unknown>): Promise<void>;
  dispose(): void;
}

interface Finished<H> {
  definition: SaeDefinition<H>;
  hp: H;
  shape: SaeShape;
  training: TrainingOptions;
  seed: number;
  scale: number;
  state: TrainState;
  params: NamedTensors;
  marks: Mark[];
  heldOut: HeldOutPoint[];
  curve: CurvePoint[];
  speed: TrainingSpeed | undefined;
}

/** Turns the parameters of a finished run into inference weights on unscaled inputs. The given tensors stay. */
export function trainedSae<H>(finished: Finished<H>): TrainedSae {
  const { definition, hp, shape, training, seed, scale, state, marks, heldOut, curve, speed } = finished;
  const params = tf.tidy(() => {
    const inference = definition.toInference?.(finished.params, state, hp) ?? finished.params;
    const folded = scale === 1 ? inference : definition.foldScale!(inference, scale, hp);
    return Object.fromEntries(Object.entries(folded).map(([name, tensor]) => [name, tf.clone(tensor)]));
  });
  const method = fittedFromSae(definition, params, hp, shape);
  return {
    variant: definition.id,
    shape,
    hp: hp as Record<string, unknown>,
    training,
    seed,
    steps: state.step,
    tokens: state.tokens,
    scale,
    scalars: { ...state.scalars },
    marks,
    heldOut,
    curve,
    ...(speed ? { speed } : {}),
    method,
    state: () => saeState(definition, params, hp, shape),
    writeSaeLens: (folder, metadata = {}) => writeSaeLens(folder, definition, params, hp, shape, metadata),
    dispose: () => method.dispose(),
  };
}
