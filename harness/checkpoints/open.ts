/** @file Which layout a checkpoint is in: exactly one must claim it. */
import { UserError } from '../errors.ts';
import type { Layout, OpenedCheckpoint } from './layout.ts';
import { dictionaryLearning } from './layouts/dictionary-learning.ts';
import { ownLayout } from './layouts/own.ts';
import { saeLens } from './layouts/saelens.ts';
import { openPlace, type Place } from './place.ts';

export const LAYOUTS: readonly Layout[] = [saeLens, ownLayout, dictionaryLearning];

export type FoundCheckpoint = OpenedCheckpoint & { layout: Layout; folder: string };

/** The layout of a place, with its file of weights. @throws UserError when none or several claim it. */
async function layoutOf(place: Place): Promise<{ layout: Layout; weights: string }> {
  const claims: { layout: Layout; weights: string }[] = [];
  for (const layout of LAYOUTS) {
    const weights = await layout.claim(place);
    if (weights !== undefined && (place.file === undefined || place.file === weights)) claims.push({ layout, weights });
  }
  if (claims.length === 1) return claims[0]!;
  if (claims.length > 1) {
    const both = claims.map(({ layout, weights }) => `${layout.title} (${weights})`).join(' and ');
    throw new UserError(
      `checkpoint ${place.path}: expected files of one layout; found those of ${both}: name the file that is meant.`,
    );
  }
  const titles = LAYOUTS.map(({ title }) => title).join(', ');
  const found = place.file ?? (place.names.slice(0, 8).join(', ') || 'nothing');
  throw new UserError(`checkpoint ${place.path}: expected an SAE in a layout of ${titles}; found ${found}.`);
}

/**
 * Reads what a checkpoint says about itself, without its weights.
 *
 * @param path A folder, or its file of weights.
 * @param given What a person says of it, see {@link Place}.
 * @throws UserError when there is nothing, or it is in no layout or in several, or cannot be used.
 */
export async function openCheckpoint(path: string, given: Place['given'] = {}): Promise<FoundCheckpoint> {
  const place = await openPlace(path, given);
  const { layout, weights } = await layoutOf(place);
  return { layout, folder: place.folder, ...(await layout.open(place, weights)) };
}
