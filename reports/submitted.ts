/** @file Submissions to the leaderboard: what the commands `submit` and `verify` and the reference's rendering use of them. */
import { buildTables } from './aggregate.ts';
import { citationOf } from './citation.ts';
import { renderLeaderboard } from './leaderboard.ts';
import type { Board } from './submitted/board.ts';
import type { Submission } from './submitted/file.ts';
import { listedView } from './submitted/listed.ts';
import { joinedTo } from './submitted/merge.ts';
import { placeOf } from './submitted/sizes.ts';
import { summaryTable } from './summary.ts';

export { type Board, OWN_BOARD, openBoard } from './submitted/board.ts';
export { checkCommitted, checkName, checkSubmission } from './submitted/check.ts';
export { composeSubmission, type SubmissionFacts } from './submitted/compose.ts';
export {
  clearPlace,
  readSubmission,
  type Submission,
  sourceFolder,
  submissionFile,
  verificationFile,
  writeSubmission,
} from './submitted/file.ts';
export { pullRequest } from './submitted/pull-request.ts';
export { strangePlace } from './submitted/sizes.ts';
export { type Comparison, compareAgain, writeVerification } from './submitted/verification.ts';
export { summaryTable } from './summary.ts';

/** The tables of a board with one submission: at its places, as text, and all of them as LEADERBOARD.md. */
export async function preview(submission: Submission, board: Board): Promise<{ table: string; leaderboard: string }> {
  const own = joinedTo({ submission }, board);
  const places = new Set(own.map(placeOf));
  const results = [...board.reference, ...own];
  const leaderboard = await renderLeaderboard([{ tables: buildTables(results) }], {
    ...{ limited: false, source: `${board.suiteId}.jsonl and ${submission.name}.json`, citation: citationOf(results) },
    ...{ protocol: board.protocol.protocol, submitted: [listedView({ submission })] },
  });
  return { table: summaryTable(results.filter((result) => places.has(placeOf(result)))), leaderboard };
}
