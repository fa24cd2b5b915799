/** @file `--positions name=value`: which positions are rows, set from a command line. */
import type { Suite } from '../schema/suite.generated.ts';
import { namedOptions } from './option-text.ts';

/**
 * The suite with the policy of positions of all its subjects set; the suite's schema checks it.
 *
 * @throws UserError for another form, or a name that comes twice.
 */
export function setPositions(suite: Suite, given: readonly string[] | undefined): Suite {
  const policy = namedOptions(given, '--positions', 'first=1');
  if (Object.keys(policy).length === 0) return suite;
  return {
    ...suite,
    subjects: suite.subjects.map((subject) => ({
      ...subject,
      activations: { ...subject.activations, policy: { ...subject.activations?.policy, ...policy } },
    })),
  };
}
