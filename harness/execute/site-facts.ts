/** @file What results say of the site that they are of, its subject and its data. */
import { keptRows } from '../activations/activation-set.ts';
import type { PositionRule } from '../activations/positions.ts';
import type { EvaluationMeta, SiteActivations } from './evaluate.ts';
import { positionFacts } from './position-facts.ts';
import type { Session } from './session.ts';

/** What results of a site say of their subject and data. */
export type SiteFacts = Pick<EvaluationMeta, 'site' | 'modality' | 'subject' | 'data'>;

/** How often training saw each row. */
export function epochsNote(trainRows: number, { tokens }: NonNullable<EvaluationMeta['training']>): string {
  return `training saw ${tokens} vectors: ${(tokens / trainRows).toFixed(2)} epochs of ${trainRows} rows`;
}

export function factsOf(
  session: Session,
  site: string,
  sets: SiteActivations | undefined,
  notes: readonly string[],
  filter?: PositionRule,
): SiteFacts {
  const { name, d, kind, modality } = session.site(site);
  const { fingerprint, family, parameters } = session.facts;
  return {
    site: { name, d_in: d, kind },
    modality,
    subject: { fingerprint, family, parameters },
    data: {
      policy: sets?.train.policy ?? 'no activations',
      ...(filter && sets ? { positions: positionFacts(filter, sets) } : {}),
      ...(session.notes.length + notes.length > 0 ? { notes: [...session.notes, ...notes] } : {}),
      trainRows: sets ? keptRows(sets.train) : 0,
      testRows: sets ? keptRows(sets.test) : 0,
      ...(sets?.labelled ? { concepts: sets.labelled.set.concepts.length } : {}),
    },
  };
}
