/** @file SAELens' layout, `cfg.json` and `sae_weights.safetensors`: all its architectures but `temporal`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { openSafetensors, type TensorSource } from '../../io/safetensors.ts';
import { type Checkpoint, foldInputScale, PER_LATENT } from '../form.ts';
import type { Layout } from '../layout.ts';
import { filled, rowsTimes } from '../tensors.ts';
import {
  readSaeLensConfig,
  SAELENS_CONFIG,
  SAELENS_SCALER,
  SAELENS_WEIGHTS,
  type SaeLensConfig,
} from './saelens-config.ts';

/** The one threshold of a BatchTopK SAE that SAELens saved in the midst of its training. */
const BATCH_THRESHOLD = 'topk_threshold';

const sharedThreshold = (architecture: string) => architecture.endsWith('batchtopk');

/** The tensor of `finetuning_scaling_factor`: what SAELens wrote, and what it is called in memory. */
const DECODER_FACTORS = ['scaling_factor', 'finetuning_scaling_factor'];

/**
 * The factor [d_sae] between codes and decoder, where it does anything.
 *
 * @throws UserError when flag and tensor disagree: which of them is right cannot be told.
 */
async function readDecoderFactor(
  source: TensorSource,
  { d_sae, decoderFactor }: SaeLensConfig,
): Promise<Float32Array | undefined> {
  const name = DECODER_FACTORS.find((candidate) => source.has(candidate));
  if (name === undefined) {
    if (!decoderFactor) return undefined;
    throw new UserError(
      `saelens ${source.path}: expected a tensor 'scaling_factor', as finetuning_scaling_factor is true in cfg.json; found none.`,
    );
  }
  const factor = await source.readFloat(name, { expectShape: [d_sae], finite: true });
  // Some versions of SAELens wrote ones into every checkpoint.
  if (factor.every((value) => value === 1)) return undefined;
  if (decoderFactor) return factor;
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
export async function readSaeLens(folder: string): Promise<Checkpoint> {
  const config = await readSaeLensConfig(folder);
  const { architecture, d_in, d_sae, d_out, form } = config;
  const source = await openSafetensors(join(folder, SAELENS_WEIGHTS));
  const encoder: Record<string, number[]> = form.pursuit ? {} : { W_enc: [d_in, d_sae] };
  const shapes: Record<string, number[]> = { ...encoder, W_dec: [d_sae, d_out], b_dec: [d_out] };
  if (architecture.endsWith('skip_transcoder')) shapes['W_skip'] = [d_out, d_in];
  for (const name of PER_LATENT[form.activation]) shapes[name] = [d_sae];
  const shared = sharedThreshold(architecture);
  if (shared) {
    delete shapes['threshold'];
    shapes[BATCH_THRESHOLD] = [];
  }
  refuseLeftOver(source, Object.keys(shapes), architecture);
  const tensors: Checkpoint['tensors'] = {};
  for (const [name, shape] of Object.entries(shapes)) {
    tensors[name] = { shape, data: await source.readFloat(name, { expectShape: shape, finite: true }) };
  }
  if (shared) {
    const [threshold] = tensors[BATCH_THRESHOLD]!.data;
    delete tensors[BATCH_THRESHOLD];
    tensors['threshold'] = filled(d_sae, threshold!);
  }
  const factor = await readDecoderFactor(source, config);
  if (factor) tensors['W_dec'] = rowsTimes(tensors['W_dec']!, factor);
  const checkpoint = { config, tensors };
  return typeof config.inputScale === 'number' ? foldInputScale(checkpoint, config.inputScale) : checkpoint;
}

export const saeLens: Layout = {
  id: 'saelens',
  title: 'SAELens',
  async claim({ has }) {
    // Without its weights it is still this layout, and says what is missing.
    const alone = has(SAELENS_CONFIG) && !has('sae.safetensors');
    return has(SAELENS_CONFIG) && (alone || has(SAELENS_WEIGHTS)) ? SAELENS_WEIGHTS : undefined;
  },
  async open({ folder, has }) {
    const config = await readSaeLensConfig(folder);
    if (!has(SAELENS_WEIGHTS)) {
      throw new UserError(`saelens ${folder}: expected ${SAELENS_WEIGHTS} beside ${SAELENS_CONFIG}; found none.`);
    }
    const files = [SAELENS_CONFIG, SAELENS_WEIGHTS, SAELENS_SCALER].filter((file) => existsSync(join(folder, file)));
    return { facts: config, files, read: () => readSaeLens(folder) };
  },
};
