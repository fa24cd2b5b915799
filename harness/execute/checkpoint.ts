/** @file A checkpoint in the place of a fitted method: checked first, its input scale found, loaded for tasks. */
import type { FittedMethod } from '../contract/methods.ts';
import type { Site } from '../contract/subject.ts';
import type { ActivationSet } from '../contract.ts';
import { UserError } from '../errors.ts';
import type { Registry } from '../registry.ts';
import { readArrays, writeArrays } from '../store/arrays.ts';
import type { ResolvedMethod } from '../suite/resolved.ts';
import { restoreSae } from '../train/fitted-sae.ts';
import { meanNormScale, sampleRows } from '../train/input.ts';
import { readOwnSae, readOwnState } from '../train/own-layout.ts';
import { readSaeLensConfig } from '../train/saelens-config.ts';
import { saeLensMethod } from '../train/saelens-method.ts';
import { foldInputScale, readSaeLens } from '../train/saelens-read.ts';

/** Seed of the sample that an input scale is estimated on: a checkpoint gives one result, whatever the suite's seeds. */
const SAMPLE_SEED = 0;

/**
 * Finds what is wrong with a checkpoint before anything is computed.
 *
 * @throws UserError for a width other than the site's, missing tensors, shapes other than cfg.json says, NaN weights.
 */
export async function checkCheckpoint({ name, checkpoint, variant }: ResolvedMethod, site: Site): Promise<void> {
  if (variant !== undefined) await readOwnState(checkpoint!);
  const { d_in } =
    variant === undefined ? (await readSaeLens(checkpoint!)).config : (await readOwnSae(checkpoint!)).shape;
  if (d_in === site.d) return;
  throw new UserError(
    `method ${name}: ${checkpoint}: d_in: expected ${site.d}, the width of ${site.name}; found ${d_in}: ` +
      'it belongs to another site or another model.',
  );
}

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
export async function loadCheckpoint(
  { checkpoint, variant }: ResolvedMethod,
  folder: string,
  registry: Registry,
): Promise<FittedMethod> {
  if (variant !== undefined) return restoreSae(await registry.get('sae', variant), await readOwnState(checkpoint!));
  const { scale } = (await readArrays(folder)).json as { scale: number | null };
  const read = await readSaeLens(checkpoint!);
  return saeLensMethod(scale === null ? read : foldInputScale(read, scale));
}
