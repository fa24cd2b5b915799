/** @file Results of a run → a submission: as they are kept, without the paths of a machine, under one checksum. */
import { sealed } from '../../harness/results.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { keptResult, withoutPlaces } from '../kept.ts';
import type { Board } from './board.ts';
import { checkSubmission, environmentOf } from './check.ts';
import { SUBMISSION_SCHEMA, type Submission, sealedSubmission } from './file.ts';

/** What a person or a check says of a submission, beside its results. */
export type SubmissionFacts = Pick<
  Submission,
  'name' | 'kind' | 'licence' | 'citation' | 'tuning' | 'source' | 'weights' | 'checks' | 'leftOut'
>;

/**
 * The submission of a method's results.
 *
 * @throws UserError where it could not stand in the tables of the board.
 */
export function composeSubmission(facts: SubmissionFacts, results: readonly Result[], board: Board): Submission {
  const kept = results.map((result) => sealed(withoutPlaces(keptResult(result))));
  const submission = sealedSubmission({
    schema: SUBMISSION_SCHEMA,
    protocol: board.protocol.protocol,
    ...facts,
    seeds: [...new Set(results.map(({ seed }) => seed))].sort((a, b) => a - b),
    environment: environmentOf(kept[0]!),
    results: kept,
  });
  checkSubmission(submission, board);
  return submission;
}
