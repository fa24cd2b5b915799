/** @file Whether a dataset fits a site, and whether its concepts can be told apart: asked before anything is computed. */
import type { ConceptSet, Dataset, Site } from '../contract/data.ts';
import { someOf, UserError } from '../errors.ts';
import type { Registry } from '../registry.ts';

const SHOWS = { text: 'texts', image: 'images', vectors: 'vectors' } as const;

/** @throws UserError for images at a site of texts, and for texts at one of images. */
export function checkModality(
  subject: string,
  site: Pick<Site, 'name' | 'modality'>,
  dataset: Pick<Dataset, 'id' | 'modality'>,
): void {
  if (site.modality === dataset.modality) return;
  throw new UserError(
    `subject ${subject}: site ${site.name}: expected a dataset of ${SHOWS[site.modality]}; found ${dataset.id}, of ${SHOWS[dataset.modality]}: ` +
      'name another with --dataset, or in the suite.',
  );
}

/** @throws UserError naming the ids that several concepts of a set have: their rows could not be told apart. */
export function uniqueConcepts(set: ConceptSet, dataset: string): ConceptSet {
  const ids = set.concepts.map(({ id }) => id);
  const twice = [...new Set(ids.filter((id, i) => ids.indexOf(id) !== i))];
  if (twice.length === 0) return set;
  throw new UserError(
    `dataset ${dataset}: expected an id of its own for each concept; found several of ${someOf(twice)}.`,
  );
}

/**
 * Concepts of a dataset from outside, under the limits of a run. Those of the package have ids of their own by
 * construction, and drawing their examples only to see that would cost seconds.
 *
 * @throws UserError for concepts that share an id.
 */
export async function checkConcepts(
  dataset: Dataset,
  limits: { concepts?: number; perClass?: number },
  from: { registry: Registry; id: string },
): Promise<void> {
  if (from.registry.fileOf('dataset', from.id) === undefined || !dataset.concepts) return;
  uniqueConcepts(await dataset.concepts(limits), from.id);
}
