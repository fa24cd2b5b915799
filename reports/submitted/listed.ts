/** @file A submission in the list of the leaderboard; all texts are safe for Markdown. */
import { sha256Json } from '../../harness/io/hash.ts';
import { markdownText } from '../escape.ts';
import type { Submission } from './file.ts';
import { type Listed, verifiedText } from './merge.ts';

export interface SubmittedView {
  name: string;
  title: string;
  citation: string;
  licence: string;
  tuning: string;
  source: string;
  verified: string;
}

/** Digits of a digest that a person compares. */
const DIGITS = 12;

/** Digest of the code of a plug-in, or of the files of a checkpoint: what was submitted, whatever it is called. */
export const sourceDigest = ({ files, variant }: Submission['source']): string =>
  sha256Json([files, variant ?? []].map((list) => list.map(({ path, sha256 }) => [path, sha256]))).slice(0, DIGITS);

export function listedView({ submission, verification, leftOut }: Listed): SubmittedView {
  const { name, citation, licence, tuning, source, results } = submission;
  const { hub } = source;
  const state = leftOut === undefined ? verifiedText(verification) : `in no table: ${leftOut}`;
  return {
    name: markdownText(name),
    title: markdownText(results[0]!.method.title),
    citation: markdownText(citation),
    licence: markdownText(licence),
    tuning: markdownText(tuning),
    source: markdownText([...(hub === undefined ? [] : [hub]), sourceDigest(source)].join(' ')),
    verified: markdownText(state),
  };
}
