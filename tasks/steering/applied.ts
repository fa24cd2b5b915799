/** @file What a text is read or written under: steering at the site, or a method's own change of the subject. */
import type { ConceptDetector, FittedMethod, SubjectChange } from '../../harness/contract.ts';
import { type Steering, steerEach } from './interventions.ts';

/** A method's own change of the subject, and how strong. */
export interface OwnSteering {
  kind: 'own';
  change: NonNullable<ConceptDetector['intervene']>;
  strength: number;
}

export type Applied = Steering | OwnSteering;

/** Whether two rows can be of one batch: those of one change, or those that are steered at the site. */
export const together = (a: Applied | undefined, b: Applied | undefined): boolean => changeOf(a) === changeOf(b);

const changeOf = (each: Applied | undefined) => (each?.kind === 'own' ? each.change : undefined);

/** What is done to a batch, one entry a row; all {@link together}. */
export function batchChange(
  site: string,
  rows: readonly Applied[],
  method: FittedMethod,
): { own: SubjectChange } | { steering: ReturnType<typeof steerEach> } {
  const change = changeOf(rows[0]);
  if (change) return { own: change(rows.map(({ strength }) => strength)) };
  return {
    steering: steerEach(
      site,
      rows.filter((row) => row.kind !== 'own'),
      method,
    ),
  };
}
