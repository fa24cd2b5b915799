/** @file The latents that were chosen for concepts, for the reports' browser of latents. */
import type { ConceptSet, PooledLatents, TaskContext, TaskOutcome } from '../../harness/contract.ts';
import { showLatents, type WantedLatent } from '../../harness/kit/index.ts';

/** Beyond, those of least AUROC are left out: a result stays at a few hundred kB. */
const MOST = 48;

/** What a selection chose, a line a concept. */
export interface ChosenBySelection {
  name: string;
  details: readonly Record<string, unknown>[];
}

/** The one latent of a detector; undefined of a probe on several, and of what has none. */
function single({
  latent,
  sign,
  latents,
  signs,
}: Record<string, unknown>): Pick<WantedLatent, 'latent' | 'sign'> | undefined {
  if (typeof latent === 'number') return { latent, sign: sign === -1 ? -1 : 1 };
  if (!Array.isArray(latents) || latents.length !== 1) return undefined;
  return { latent: latents[0] as number, sign: Array.isArray(signs) && signs[0] === -1 ? -1 : 1 };
}

/** Each latent that some selection took alone for a concept, with its concepts, of the largest AUROC first. */
export function latentsOf(selections: readonly ChosenBySelection[]): WantedLatent[] {
  const found = new Map<string, WantedLatent & Required<Pick<WantedLatent, 'concepts'>>>();
  for (const { name: selection, details } of selections) {
    for (const chosen of details) {
      const own = single(chosen);
      if (!own) continue;
      const key = `${own.latent} ${own.sign}`;
      const known = found.get(key) ?? { ...own, why: 'concept' as const, concepts: [] };
      found.set(key, known);
      const { id, label, auroc } = chosen as { id: string; label: string; auroc: number };
      known.concepts.push({ id, label, selection, auroc: Number(auroc.toPrecision(4)) });
    }
  }
  const bestOf = ({ concepts }: Required<Pick<WantedLatent, 'concepts'>>) =>
    Math.max(...concepts.map(({ auroc }) => auroc));
  return [...found.values()].sort((a, b) => bestOf(b) - bestOf(a)).slice(0, MOST);
}

/** Items that no concept is trained on. */
function heldOut({ examples }: Pick<ConceptSet, 'examples'>): Uint32Array {
  const [train, evaluated] = [new Set<number>(), new Set<number>()];
  for (const { item, split } of examples) (split === 'train' ? train : evaluated).add(item);
  return Uint32Array.from([...evaluated].filter((item) => !train.has(item))).sort();
}

/** Those latents with their top held-out items; nothing where the method has no latents, or none are asked for. */
export async function chosenLatents(
  { options, method, labelled, dataset, subject, site }: TaskContext<{ latentExamples: number }>,
  pooled: PooledLatents | undefined,
  selections: readonly ChosenBySelection[],
): Promise<Pick<TaskOutcome, 'latents'>> {
  const wanted = latentsOf(selections);
  if (!pooled || !labelled || options.latentExamples === 0 || wanted.length === 0) return {};
  const { set, activations } = labelled;
  const source = {
    ...{ method, set: activations, items: set.items, pooled, among: heldOut(set), subject, site: site.name },
    ...{ private: dataset.privateItems === true, examples: options.latentExamples },
  };
  const latents = await showLatents(source, wanted, {
    from: 'held-out labelled items, which no concept is trained on',
    rule: `latents that a selection took alone for a concept, at most ${MOST}, those of largest AUROC`,
  });
  return { latents };
}
