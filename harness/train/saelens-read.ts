/** @file Reads the weights of SAELens checkpoints, and folds what SAELens would fold. */
import { join } from 'node:path';
import type { FittedState } from '../contract.ts';
import { openSafetensors } from '../io/safetensors.ts';
import { readSaeLensConfig, SAELENS_WEIGHTS, type SaeLensArchitecture, type SaeLensConfig } from './saelens-config.ts';

/** A checkpoint as plain numbers. */
export interface SaeLensCheckpoint {
  config: SaeLensConfig;
  tensors: FittedState['tensors'];
}

/** Tensors that each architecture has beside W_enc, W_dec and b_dec; all are [d_sae]. */
const PER_LATENT: Record<SaeLensArchitecture, readonly string[]> = {
  standard: ['b_enc'],
  topk: ['b_enc'],
  jumprelu: ['b_enc', 'threshold'],
  gated: ['b_gate', 'b_mag', 'r_mag'],
};

/**
 * Reads an SAE in SAELens's layout. An input scale that the checkpoint has is folded; one that must be estimated is not.
 *
 * @throws UserError naming file, field, expected and found: a missing file, an unknown architecture or input scaling, a
 * shape that differs from the configuration, NaN or infinite weights, k above d_sae.
 */
export async function readSaeLens(folder: string): Promise<SaeLensCheckpoint> {
  const config = await readSaeLensConfig(folder);
  const { architecture, d_in, d_sae } = config;
  const source = await openSafetensors(join(folder, SAELENS_WEIGHTS));
  const shapes: Record<string, number[]> = { W_enc: [d_in, d_sae], W_dec: [d_sae, d_in], b_dec: [d_in] };
  for (const name of PER_LATENT[architecture]) shapes[name] = [d_sae];
  const tensors: SaeLensCheckpoint['tensors'] = {};
  for (const [name, shape] of Object.entries(shapes)) {
    tensors[name] = { shape, data: await source.readFloat(name, { expectShape: shape, finite: true }) };
  }
  const checkpoint = { config, tensors };
  return typeof config.inputScale === 'number' ? foldInputScale(checkpoint, config.inputScale) : checkpoint;
}

/**
 * Weights for x from weights for scale · x, as SAELens's `fold_activation_norm_scaling_factor` has them: codes keep the
 * size that they have on scaled inputs.
 */
export function foldInputScale({ config, tensors }: SaeLensCheckpoint, scale: number): SaeLensCheckpoint {
  const times = (name: string, factor: number) => {
    const { shape, data } = tensors[name]!;
    return { shape, data: data.map((value) => value * factor) };
  };
  const { inputScale: _folded, ...rest } = config;
  return {
    config: rest,
    tensors: {
      ...tensors,
      W_enc: times('W_enc', scale),
      W_dec: times('W_dec', 1 / scale),
      b_dec: times('b_dec', 1 / scale),
    },
  };
}
