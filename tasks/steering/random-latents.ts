/** @file Latents drawn at random, as the control of a dictionary's chosen ones. */
import type { TaskContext } from '../../harness/contract.ts';
import { createCandidates, createRng } from '../../harness/kit/index.ts';
import type { LmWays } from './language-model.ts';
import { latentEffect, type SteeringVector } from './steering-vectors.ts';

type Context = Pick<TaskContext<unknown>, 'method' | 'labelled' | 'latents'>;

/** Draws before a concept is given up: of a dictionary with hardly a latent that fires. */
const DRAWS = 10_000;

/**
 * For each concept a latent other than the chosen one, drawn among those that fire on its training items, and added as long a way:
 * the push is as strong, only its direction is another. Undefined of methods without chosen latents.
 */
export async function randomLatents(
  { method, labelled, latents }: Context,
  concepts: readonly number[],
  chosen: Pick<LmWays, 'vectors'>,
): Promise<LmWays | undefined> {
  if (!method.sparse || chosen.vectors.every((vector) => vector?.latent === undefined)) return undefined;
  const candidates = createCandidates(await latents(labelled!.activations));
  const vectors: (SteeringVector | undefined)[] = [];
  for (const [c, concept] of concepts.entries()) {
    const own = chosen.vectors[c];
    const { items } = labelled!.examples(concept, 'train');
    const rng = createRng('random latents').fork(labelled!.set.concepts[concept]!.id);
    const fires = (candidate: number) => candidates.values(candidate, items).some((value) => value > 0);
    let drawn: number | undefined;
    for (let i = 0; own && i < DRAWS && drawn === undefined; i++) {
      const candidate = rng.int(candidates.count);
      if (candidates.latentOf(candidate) !== own.latent && fires(candidate)) drawn = candidate;
    }
    vectors.push(own && drawn !== undefined ? await asLongAs(own, candidates.latentOf(drawn), method) : undefined);
  }
  return { vectors, kinds: ['add'], selection: 'random', control: 'random-latent' };
}

async function asLongAs(own: SteeringVector, latent: number, method: Context['method']): Promise<SteeringVector> {
  const vector = await latentEffect(method, latent);
  const length = Math.hypot(...vector);
  const scale = length > 0 ? (own.scale * Math.hypot(...own.vector)) / length : 0;
  return { vector, scale, details: { latent } };
}
