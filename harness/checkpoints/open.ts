/** @file Which layout a checkpoint is in: exactly one must claim it, by the names of its files, else by those of its tensors. */
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import type { Layout, OpenedCheckpoint } from './layout.ts';
import { dictionaryLearning } from './layouts/dictionary-learning.ts';
import { gemmaScope } from './layouts/gemma-scope.ts';
import { llamaScope } from './layouts/llama-scope.ts';
import { openAi } from './layouts/openai.ts';
import { overcomplete } from './layouts/overcomplete.ts';
import { ownLayout } from './layouts/own.ts';
import { mapsTensors, plain } from './layouts/plain.ts';
import { saeLens } from './layouts/saelens.ts';
import { sparsify } from './layouts/sparsify.ts';
import { switchSae } from './layouts/switch-sae.ts';
import { vitPrisma } from './layouts/vit-prisma.ts';
import { onlyFile, openPlace, type Place } from './place.ts';
import { openWeightsFile, WEIGHT_ENDINGS } from './tensors.ts';

export const LAYOUTS: readonly Layout[] = [
  ...[saeLens, ownLayout, dictionaryLearning, switchSae, gemmaScope, sparsify, llamaScope, vitPrisma],
  ...[openAi, overcomplete, plain],
];

export type FoundCheckpoint = OpenedCheckpoint & { layout: Layout; folder: string };

interface Claim {
  layout: Layout;
  weights: string;
}

/** Those whose files have their names; of a file that was named, those whose weights it is. */
async function byNames(place: Place): Promise<Claim[]> {
  const claims: Claim[] = [];
  for (const layout of LAYOUTS) {
    const weights = await layout.claim?.(place);
    if (weights !== undefined && (place.file === undefined || place.file === weights)) claims.push({ layout, weights });
  }
  return claims;
}

/** Those that a file of weights of any name is in, by its tensors. */
async function byTensors(place: Place): Promise<Claim[]> {
  const file = onlyFile(place, WEIGHT_ENDINGS);
  if (file === undefined) return [];
  const weights = await openWeightsFile(join(place.folder, file));
  return LAYOUTS.filter((layout) => layout.claimTensors?.(weights, place)).map((layout) => ({ layout, weights: file }));
}

/** The one claim there is, if any. @throws UserError when there are several. */
function onlyClaim(claims: readonly Claim[], { path }: Place): Claim | undefined {
  if (claims.length <= 1) return claims[0];
  const both = claims.map(({ layout, weights }) => `${layout.title} (${weights})`).join(' and ');
  throw new UserError(
    `checkpoint ${path}: expected files of one layout; found those of ${both}: name the file that is meant.`,
  );
}

/** The layout of a place, with its file of weights. @throws UserError when none or several claim it. */
async function layoutOf(place: Place): Promise<Claim> {
  // Who says which tensor is which means a plain file of tensors, whatever it is called.
  const named = mapsTensors(place.given) ? [] : await byNames(place);
  const claim = onlyClaim(named.length > 0 ? named : await byTensors(place), place);
  if (claim) return claim;
  const titles = LAYOUTS.map(({ title }) => title).join(', ');
  const found = place.file ?? (place.names.slice(0, 8).join(', ') || 'nothing');
  throw new UserError(
    `checkpoint ${place.path}: expected an SAE in a layout of ${titles}; found ${found}: of plain tensors say which is which, ` +
      '--checkpoint-form W_enc=NAME,W_dec=NAME.T,b_dec=none,architecture=topk,k=32.',
  );
}

/** @throws UserError for what a person says of files that say it themselves. */
function refuseGiven({ id, takes = [] }: Layout, { given, path }: Place): void {
  const other = Object.keys(given).find((name) => !takes.includes(name));
  if (other === undefined) return;
  const expected = takes.length === 0 ? 'nothing, as its files say all of it' : takes.join(', ');
  throw new UserError(`checkpoint ${path}: form of a ${id} checkpoint: expected ${expected}; found '${other}'.`);
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
  refuseGiven(layout, place);
  return { layout, folder: place.folder, ...(await layout.open(place, weights)) };
}

/**
 * The layout whose files' names a folder holds, if any: for who must tell an SAE from a model or data.
 *
 * @throws UserError when it holds those of several.
 */
export async function layoutByNames(path: string): Promise<Layout | undefined> {
  const place = await openPlace(path);
  return onlyClaim(await byNames(place), place)?.layout;
}
