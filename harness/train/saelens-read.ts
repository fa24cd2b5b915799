/** @file Reads the weights of SAELens checkpoints, and folds what SAELens would fold. */
import { join } from 'node:path';
import type { FittedState } from '../contract.ts';
import { UserError } from '../errors.ts';
import { openSafetensors, type TensorSource } from '../io/safetensors.ts';
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
  abstopk: ['b_enc'],
  jumprelu: ['b_enc', 'threshold'],
  gated: ['b_gate', 'b_mag', 'r_mag'],
  matching_pursuit: [],
  transcoder: ['b_enc'],
  skip_transcoder: ['b_enc'],
};

/** The tensor of `finetuning_scaling_factor`: what SAELens wrote, and what it is called in memory. */
const DECODER_FACTORS = ['scaling_factor', 'finetuning_scaling_factor'];

/**
 * The factor [d_sae] between codes and decoder, where it does anything.
 *
 * @throws UserError when flag and tensor disagree: which of them is right cannot be told.
 */
async function decoderFactor(source: TensorSource, { d_sae, form }: SaeLensConfig): Promise<Float32Array | undefined> {
  const name = DECODER_FACTORS.find((candidate) => source.has(candidate));
  if (name === undefined) {
    if (!form.decoderFactor) return undefined;
    throw new UserError(
      `saelens ${source.path}: expected a tensor 'scaling_factor', as finetuning_scaling_factor is true in cfg.json; found none.`,
    );
  }
  const factor = await source.readFloat(name, { expectShape: [d_sae], finite: true });
  // Some versions of SAELens wrote ones into every checkpoint.
  if (factor.every((value) => value === 1)) return undefined;
  if (form.decoderFactor) return factor;
  throw new UserError(
    `saelens ${source.path}: tensor '${name}': expected ones, as finetuning_scaling_factor is not true in cfg.json; ` +
      `found ${factor.find((value) => value !== 1)}: set it to true if the factors belong to the SAE.`,
  );
}

/** @throws UserError for a tensor that no part of this architecture reads: it would change what the SAE computes. */
function refuseLeftOver(source: TensorSource, expected: readonly string[], architecture: string): void {
  const other = source.names.find((name) => !expected.includes(name) && !DECODER_FACTORS.includes(name));
  if (other === undefined) return;
  throw new UserError(
    `saelens ${source.path}: tensor '${other}': expected only ${expected.join(', ')} with the architecture ` +
      `${architecture}: it may change what the SAE computes.`,
  );
}

/**
 * Reads an SAE in SAELens's layout. An input scale that the checkpoint has is folded; one that must be
 * estimated is not. A factor between codes and decoder is folded into the decoder.
 *
 * @throws UserError naming file, field, expected and found: a missing file, an unknown architecture, activation function
 * or input scaling, a shape that differs from the configuration, a tensor too many, NaN or infinite weights, k above d_sae.
 */
export async function readSaeLens(folder: string): Promise<SaeLensCheckpoint> {
  const config = await readSaeLensConfig(folder);
  const { architecture, d_in, d_sae, d_out } = config;
  const source = await openSafetensors(join(folder, SAELENS_WEIGHTS));
  const encoder: Record<string, number[]> = architecture === 'matching_pursuit' ? {} : { W_enc: [d_in, d_sae] };
  const shapes: Record<string, number[]> = { ...encoder, W_dec: [d_sae, d_out], b_dec: [d_out] };
  if (architecture === 'skip_transcoder') shapes['W_skip'] = [d_out, d_in];
  for (const name of PER_LATENT[architecture]) shapes[name] = [d_sae];
  refuseLeftOver(source, Object.keys(shapes), architecture);
  const tensors: SaeLensCheckpoint['tensors'] = {};
  for (const [name, shape] of Object.entries(shapes)) {
    tensors[name] = { shape, data: await source.readFloat(name, { expectShape: shape, finite: true }) };
  }
  const factor = await decoderFactor(source, config);
  const W_dec = tensors['W_dec']!;
  if (factor)
    tensors['W_dec'] = { ...W_dec, data: W_dec.data.map((value, i) => value * factor[Math.floor(i / d_in)]!) };
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
