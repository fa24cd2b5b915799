/** @file A checkpoint in the place of a fitted method: its input scale found, restored for tasks. */
import type { FittedMethod } from '../contract/methods.ts';
import type { ActivationSet } from '../contract.ts';
import type { Registry } from '../registry.ts';
import { readArrays, writeArrays } from '../store/arrays.ts';
import type { ResolvedMethod } from '../suite/resolved.ts';
import { restoreSae } from '../train/fitted-sae.ts';
import { meanNormScale, sampleRows } from '../train/input.ts';
import { readOwnState } from '../train/own-layout.ts';
import { readSaeLensConfig } from '../train/saelens-config.ts';
import { saeLensMethod } from '../train/saelens-method.ts';
import { foldInputScale, readSaeLens } from '../train/saelens-read.ts';

/** Seed of the sample that an input scale is estimated on: a checkpoint gives one result, whatever the suite's seeds. */
const SAMPLE_SEED = 0;

/** The step of a checkpoint: keeps the factor on inputs that is still to be folded; the weights stay where they are. */
export async function fitCheckpoint(
  { checkpoint, variant }: ResolvedMethod,
  train: ActivationSet,
  folder: string,
): Promise<void> {
  const { inputScale } = variant === undefined ? await readSaeLensConfig(checkpoint!) : {};
  // As SAELens does where a run has not folded it: the constant that brings the mean norm to the square root of d_in.
  const scale = inputScale === 'estimate' ? meanNormScale(await sampleRows(train, SAMPLE_SEED), train.d_in) : null;
  await writeArrays(folder, { arrays: {}, json: { scale } });
}

/** The checkpoint as a method. The caller disposes of it. */
export async function restoreCheckpoint(
  { checkpoint, variant }: ResolvedMethod,
  folder: string,
  registry: Registry,
): Promise<FittedMethod> {
  if (variant !== undefined) return restoreSae(await registry.get('sae', variant), await readOwnState(checkpoint!));
  const { scale } = (await readArrays(folder)).json as { scale: number | null };
  const read = await readSaeLens(checkpoint!);
  return saeLensMethod(scale === null ? read : foldInputScale(read, scale));
}
