/** @file Submissions that lie in a folder → results for the tables of the reference, marked, and what a reader must know of each. */
import { UserError } from '../../harness/errors.ts';
import type { Result, ResultMark } from '../../harness/schema/result.generated.ts';
import type { Board } from './board.ts';
import { checkSubmission } from './check.ts';
import {
  checkSource,
  readSubmission,
  type Submission,
  submissionFile,
  submissionNames,
  verificationFile,
} from './file.ts';
import { sparsities, tableOf } from './sizes.ts';
import { readVerification, type Verification } from './verification.ts';

/** One submission as the leaderboard lists it. */
export interface Listed {
  submission: Submission;
  /** What running a part of it again gave; none, or that of another version of it, is none. */
  verification?: Verification;
  /** Why it is in no table. */
  leftOut?: string;
}

/** Beyond this part of the protocol's sparsity a submission is marked; training marks runs that miss their target by as much. */
const SPARSITY_TOLERANCE = 0.1;

const OUTCOMES: Record<Verification['outcome'], string> = {
  'bit-equal': 'bit for bit',
  'within-tolerance': 'within the tolerance of other machines',
  differs: 'not',
};

/** `not verified`, or how much was made again and how it came out. */
export function verifiedText(verification: Verification | undefined): string {
  if (!verification) return 'not verified';
  const { outcome, results, of } = verification;
  return outcome === 'differs' ? 'not reproduced' : `${results} of ${of} results made again, ${OUTCOMES[outcome]}`;
}

function marksOf({ submission, verification }: Listed, board: Board): ResultMark[] {
  const { results, kind } = submission;
  const marks: ResultMark[] = [
    {
      code: verification ? 'submitted-verified' : 'submitted-not-verified',
      message: `Submitted; ${verifiedText(verification)}.`,
    },
  ];
  if (kind === 'checkpoint') {
    marks.push({
      code: 'trained-elsewhere',
      message: 'Trained elsewhere: on what, its authors say and nobody can check.',
    });
  }
  for (const { place, own, expected, metric } of kind === 'baseline' ? [] : sparsities(results, board)) {
    if (own === undefined || Math.abs(own - expected) <= SPARSITY_TOLERANCE * expected) continue;
    const code = `${metric}-off-protocol`;
    const off = `${own.toPrecision(3)}, the protocol's ${expected.toPrecision(3)}`;
    marks.push({
      code,
      message: `${metric.toUpperCase()} at ${place} is ${off}: compare it with methods of its own sparsity.`,
    });
  }
  return marks;
}

/** What another machine measured, a time or a memory, compares with nothing. */
function withoutMeasured(result: Result): Result['rows'] {
  const reason = 'measured on the machine of who submitted it';
  return result.rows.map((row) => ({
    ...row,
    metrics: Object.fromEntries(
      Object.entries(row.metrics).map(([name, metric]) =>
        result.task.metrics[name]?.measured && metric.value !== null
          ? [name, { value: null, ci95: null, n: 0, reason }]
          : [name, metric],
      ),
    ),
  }));
}

/** The results of a submission as those of one table with the reference: the check found that all it shares is equal. */
export function joinedTo(listed: Listed, board: Board): Result[] {
  const marks = marksOf(listed, board);
  // Sums depend on the order in which they are taken: that of the reference, whatever the file's is.
  const order = new Map(board.reference.map((result, i) => [`${tableOf(result)} ${result.seed}`, i]));
  const placeIn = (result: Result) => order.get(`${tableOf(result)} ${result.seed}`)!;
  const results = [...listed.submission.results].sort((a, b) => placeIn(a) - placeIn(b));
  return results.map((result) => {
    const own = board.reference.find((other) => tableOf(other) === tableOf(result))!;
    const settings = { ...result.settings, table: own.settings.table };
    return { ...result, settings, marks: [...marks, ...(result.marks ?? [])], rows: withoutMeasured(result) };
  });
}

/**
 * All submissions of a folder: those of the board's protocol that were not found wrong, as results for its tables.
 *
 * @throws UserError naming the file that is none, is of this protocol and may not stand in its tables, verifies nothing, or is not the code
 * that was submitted.
 */
export async function submittedTo(board: Board, folder: string): Promise<{ results: Result[]; listed: Listed[] }> {
  const { submitted, verified } = await submissionNames(folder);
  const stray = verified.find((name) => !submitted.includes(name));
  if (stray !== undefined) {
    throw new UserError(`${verificationFile(folder, stray)}: there is no submission of this name; remove it.`);
  }
  const listed: Listed[] = [];
  for (const name of submitted) {
    const submission = await readSubmission(submissionFile(folder, name));
    await checkSource(folder, submission);
    const kept = verified.includes(name) ? await readVerification(verificationFile(folder, name)) : undefined;
    const verification = kept?.submission === submission.checksum ? kept : undefined;
    const own = { submission, ...(verification ? { verification } : {}) };
    if (submission.protocol !== board.protocol.protocol) {
      listed.push({ ...own, leftOut: `of protocol ${submission.protocol}; submit it again` });
    } else {
      checkSubmission(submission, board);
      listed.push({
        ...own,
        ...(verification?.outcome === 'differs' ? { leftOut: 'its numbers were not reproduced' } : {}),
      });
    }
  }
  return { results: listed.flatMap((each) => (each.leftOut === undefined ? joinedTo(each, board) : [])), listed };
}
