/** @file Writes an SAE in SAELens's layout: `cfg.json` and `sae_weights.safetensors`. */
import { join } from 'node:path';
import type { SaeDefinition, SaeShape } from '../contract.ts';
import { UserError } from '../errors.ts';
import { atomicWriteJson } from '../io/atomic.ts';
import { type TensorToWrite, writeSafetensors } from '../io/safetensors-write.ts';
import { type NamedTensors, tf } from '../num/tf.ts';

/** What `cfg.json` says beside what stands in every one that is written here. */
export interface SaeLensFolder {
  architecture: string;
  d_in: number;
  d_sae: number;
  cfg: Record<string, unknown>;
  metadata: Record<string, unknown>;
  tensors: Record<string, TensorToWrite>;
}

/** @throws UserError when the folder cannot be written. */
export async function writeSaeLensFolder(folder: string, sae: SaeLensFolder): Promise<void> {
  const { architecture, d_in, d_sae, cfg, metadata, tensors } = sae;
  await writeSafetensors(join(folder, 'sae_weights.safetensors'), tensors);
  await atomicWriteJson(join(folder, 'cfg.json'), {
    architecture,
    d_in,
    d_sae,
    dtype: 'float32',
    device: 'cpu',
    normalize_activations: 'none',
    reshape_activations: 'none',
    apply_b_dec_to_input: false,
    ...cfg,
    metadata,
  });
}

/**
 * Writes inference weights (input scale folded) so that SAELens loads them: `normalize_activations` is `none`, and what
 * this project knows beyond SAELens's fields stands under `metadata`.
 *
 * @throws UserError when the variant has no SAELens form, or the folder cannot be written.
 */
export async function writeSaeLens<H>(
  folder: string,
  definition: SaeDefinition<H>,
  params: NamedTensors,
  hp: H,
  shape: SaeShape,
  metadata: Record<string, unknown>,
): Promise<void> {
  if (!definition.toSaeLens) throw new UserError(`sae ${definition.id}: has no SAELens form to write.`);
  const tensors: Record<string, TensorToWrite> = {};
  let exported: { architecture: string; cfg: Record<string, unknown> } | undefined;
  // A tidy that returned the numbers would walk through them one by one, in search of tensors.
  tf.tidy(() => {
    const { tensors: made, ...rest } = definition.toSaeLens!(params, hp);
    exported = rest;
    for (const [name, tensor] of Object.entries(made)) {
      tensors[name] = { dtype: 'F32', shape: tensor.shape, data: tensor.dataSync() as Float32Array };
    }
  });
  const { architecture, cfg } = exported!;
  const { d_in, d_sae } = shape;
  const all = { ...metadata, saxbench_variant: definition.id, saxbench_hyperparameters: hp };
  await writeSaeLensFolder(folder, { architecture, d_in, d_sae, cfg, metadata: all, tensors });
}
