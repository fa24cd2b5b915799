/** @file Submissions as files: `<name>.json` with one result a line, every field checked when it is read. */
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../../harness/errors.ts';
import { atomicWriteFile } from '../../harness/io/atomic.ts';
import { sha256File, sha256Json } from '../../harness/io/hash.ts';
import { canonicalJson, readError, readJson } from '../../harness/io/json.ts';
import { checkedResult } from '../../harness/results.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import type { Submission as SubmissionFile } from '../../harness/schema/submission.generated.ts';
import { validate } from '../../harness/schema/validate.ts';

/** A submission whose results were checked too. */
export type Submission = Omit<SubmissionFile, 'results'> & { results: Result[] };

export const SUBMISSION_SCHEMA = 1;
const ENDING = '.json';
const VERIFIED_ENDING = '.verified.json';

export const submissionFile = (folder: string, name: string): string => join(folder, `${name}${ENDING}`);
/** Where the code of a submitted plug-in lies. */
export const sourceFolder = (folder: string, name: string): string => join(folder, name);
export const verificationFile = (folder: string, name: string): string => join(folder, `${name}${VERIFIED_ENDING}`);

/** What lies in {@link sourceFolder}. */
const codeOf = ({ kind, source }: Submission) => (kind === 'checkpoint' ? (source.variant ?? []) : source.files);

const checksumOf = ({ checksum: _, ...rest }: Omit<Submission, 'checksum'> & { checksum?: string }): string =>
  sha256Json(rest);

/** The submission with the checksum of all the rest. */
export const sealedSubmission = (content: Omit<Submission, 'checksum'>): Submission => ({
  ...content,
  checksum: checksumOf(content),
});

/** Writes a submission, one result a line. Returns the path. @throws UserError for a field that none could be read with. */
export async function writeSubmission(folder: string, submission: Submission): Promise<string> {
  await validate('submission', submission, `submission ${submission.name}`);
  const { results, ...head } = submission;
  const file = submissionFile(folder, submission.name);
  const lines = results.map((result) => `    ${canonicalJson(result)}`).join(',\n');
  await atomicWriteFile(file, `${canonicalJson(head, 2).replace(/\n\}$/, '')},\n  "results": [\n${lines}\n  ]\n}\n`);
  return file;
}

/**
 * Reads a submission by itself: its form, checksums, and every result as results are read.
 *
 * @throws UserError naming the field or the result.
 */
export async function readSubmission(file: string): Promise<Submission> {
  const where = `submission ${file}`;
  const found = await validate('submission', await readJson(file, 'submission'), where);
  const results: Result[] = [];
  for (const [i, value] of found.results.entries()) results.push(await checkedResult(value, `${where}: results[${i}]`));
  const submission: Submission = { ...found, results };
  if (submission.checksum !== checksumOf(submission)) {
    throw new UserError(
      `${where}: was edited after it was written (its checksum is another). Submit again: saxbench submit.`,
    );
  }
  const named = basename(file, ENDING);
  if (submission.name !== named) {
    throw new UserError(`${where}: name: expected '${named}', as the file is named; found '${submission.name}'.`);
  }
  return submission;
}

/** Removes the code and the verification of a submission that another takes the place of; other files there are somebody's. */
export async function clearPlace(folder: string, name: string): Promise<void> {
  // One that cannot be read names no files.
  const earlier = await readSubmission(submissionFile(folder, name)).catch(() => undefined);
  for (const { path } of earlier ? codeOf(earlier) : [])
    await rm(join(sourceFolder(folder, name), path), { force: true });
  await rm(verificationFile(folder, name), { force: true });
}

/**
 * Checks that the code in the folder beside a submission is what was submitted: it is what a reviewer reads.
 *
 * @throws UserError naming the file that is missing or another.
 */
export async function checkSource(folder: string, submission: Submission): Promise<void> {
  const { name } = submission;
  for (const { path, sha256 } of codeOf(submission)) {
    const file = join(sourceFolder(folder, name), path);
    const found = await sha256File(file);
    if (found === sha256) continue;
    throw new UserError(
      `submission ${name}: expected ${file} as it was submitted (SHA-256 ${sha256.slice(0, 12)}…); found another (${found.slice(0, 12)}…): ` +
        'put it back, or submit again: saxbench submit.',
    );
  }
}

/** Names of the submissions in a folder and of those that a verification is kept of, sorted; none where there is no folder. */
export async function submissionNames(folder: string): Promise<{ submitted: string[]; verified: string[] }> {
  const names = existsSync(folder)
    ? await readdir(folder).catch((error: unknown) => Promise.reject(readError('submissions', folder, error)))
    : [];
  const ending = (end: string) =>
    names
      .filter((name) => name.endsWith(end))
      .map((name) => name.slice(0, -end.length))
      .sort();
  const verified = ending(VERIFIED_ENDING);
  return {
    submitted: ending(ENDING).filter((name) => !name.endsWith(VERIFIED_ENDING.slice(0, -ENDING.length))),
    verified,
  };
}
