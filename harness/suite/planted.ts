/**
 * @file Subjects that were trained with interventions, e.g. vectors added to their activations. A task that steers one finds
 * what its training put there, at every site: all that comes before or after the planted one was trained to serve it. So that is
 * a positive control of methods, and belongs into suites that say so; no other ranks methods by it.
 */
import type { PlannedSubject, ResolvedSuite, ResolvedTask } from './resolved.ts';

/** The suite of this package in which planted subjects are steered. */
const CONTROL_SUITE = 'steering-control';

/** What readers of all results on such a subject must know. */
export const plantedRemark = (planted: string): string =>
  `trained with interventions (${planted}): tasks that steer it recover what was planted, so they stand in control suites alone (${CONTROL_SUITE}), without ranks`;

/** Whether a task on a subject recovers what the subject's training planted. */
export const recoversPlanted = ({ planted }: PlannedSubject, { steers }: ResolvedTask): boolean =>
  planted !== undefined && steers === true;

/** Why a suite leaves a task on a subject out; undefined where it does not. */
export function plantedReason(
  { plantedControl }: Pick<ResolvedSuite, 'plantedControl'>,
  subject: PlannedSubject,
  task: ResolvedTask,
): string | undefined {
  if (plantedControl !== undefined || !recoversPlanted(subject, task)) return undefined;
  return (
    `trained with interventions (${subject.planted}), which a task that steers it recovers: run the suite ${CONTROL_SUITE}, ` +
    `or one that says what it is a control of ("plantedControl": "planted-direction recovery")`
  );
}
