/** @file With what a method steers, and in which ways; else why it cannot. */
import type { TaskContext } from '../../harness/contract.ts';
import type { Kind } from './interventions.ts';
import {
  type LatentSelection,
  ownChanges,
  type SteeringVector,
  type SteeringVectors,
  steeringVectors,
} from './steering-vectors.ts';

/** What the values of the axes mean. */
export const SELECTION_AXIS =
  "detector: the method's own direction; of a dictionary, by the option `selection`, auroc: the latent of best AUROC on " +
  "training items (AxBench's SAE-A); label: the latent whose description is most like the concept's (AxBench's SAE); " +
  'output-score: of the 10 latents of best AUROC the one of largest output score (Arad et al. 2025)';
export const INTERVENTION_AXIS =
  'add: factor · scale · direction added; clamp: the latent set to factor · scale; patch: the same by the decoder, ' +
  'x + decode(changed codes) − decode(codes); replace: decode(changed codes); own: the method changes the subject in its ' +
  'own way, as strongly as the factor says (1: as trained); none: no steering';

export interface SteeringWays extends SteeringVectors {
  /** `none` alone where no vector does anything, `own` alone where the method changes the subject in its own way. */
  kinds: (Kind | 'own' | 'none')[];
}

/** What a method that writes texts or asks for them is steered with. */
export const withoutVector = (): SteeringVector => ({ vector: new Float32Array(0), scale: 0, details: {} });

type Context = Pick<TaskContext<unknown>, 'method' | 'labelled' | 'site' | 'target' | 'latents' | 'subject'>;

/** For the concepts at the given places; a reason where the method steers in none of the ways asked for. */
export async function steeringWays(
  context: Context,
  concepts: readonly number[],
  { interventions, selection }: { interventions: readonly Kind[]; selection: LatentSelection },
): Promise<SteeringWays | string> {
  const { method, labelled, site, target } = context;
  if (target) return `its latents write to ${target.site.name}; what is steered here is ${site.name}`;
  if (method.rowScaled) {
    return `'${method.id}' scales each row by itself: what a unit of a latent adds is another at each position`;
  }
  const found =
    ownChanges(method, labelled!, concepts) ?? (await steeringVectors(method, labelled!, concepts, context, selection));
  if (typeof found === 'string') return found;
  if (!found) return `'${method.id}' has no directions`;
  const { vectors } = found;
  const own = vectors.some((entry) => entry?.own);
  const idle = vectors.every((entry) => !entry || entry.vector.every((value) => value === 0));
  const clampable = vectors.some((entry) => entry?.latent !== undefined);
  const added = idle ? (['none'] as const) : interventions.filter((kind) => kind === 'add' || clampable);
  const kinds: SteeringWays['kinds'] = own ? ['own'] : [...added];
  return kinds.length === 0 ? `'${method.id}' has no latents to clamp` : { ...found, kinds };
}
