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

/** For each which of the changes it is, numbered by their first appearance; 0 of steering at the site, and of none. */
export function changeNumbers(all: readonly (Applied | undefined)[]): number[] {
  const numbers = new Map<unknown, number>();
  return all.map((each) => {
    const change = changeOf(each);
    if (!change) return 0;
    const number = numbers.get(change) ?? numbers.size + 1;
    numbers.set(change, number);
    return number;
  });
}
