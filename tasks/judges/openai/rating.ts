/**
 * @file The rating that a chat model ends its reply with. AxBench's parser takes what it cannot read for 0
 * (arXiv:2501.17148, language_models.py); here it is missing, with the reason.
 */

/** A rating from 0 to 2, or why there is none: the same words for the same cause. */
export type ReadRating = { rating: number } | { missing: string };

const NONE = { missing: 'no rating in the reply' };
const [LEAST, MOST] = [0, 2];

/** Text without the marks of Markdown that may stand around or within a rating. */
const plain = (text: string): string => text.replace(/[*_`#>~"“”]/g, '');

/** `[[2]]`, with any number between the brackets. */
const BRACKETED = /\[\[\s*(-?\d+(?:\.\d+)?)\s*(?:\/\s*2\s*)?\]\]/g;
/** `2`, `2.`, `[2]`, `2/2`, `2 out of 2`, `2 (clearly there)`: no further digit. */
const BARE = /^[[(\s]*(-?\d+(?:\.\d+)?)(?![\d,])\s*(?:(?:\/|out of)\s*2(?![\d.,]))?(?![\d/%–-])[^\d]*$/i;
const WHOLE_LINE = /^\s*(\d+(?:\.\d+)?)\s*\/\s*2\s*\.?\s*$/;

/** The one number that a piece of text gives as a rating. */
function numberIn(text: string): number | undefined {
  const bracketed = [...text.matchAll(BRACKETED)].map(([, number]) => Number(number));
  if (bracketed.length > 0) return bracketed.every((value) => value === bracketed[0]) ? bracketed[0] : undefined;
  const [, bare] = BARE.exec(text) ?? [];
  return bare === undefined ? undefined : Number(bare);
}

/** What follows the last label `Rating:` of a line (`rating is 2`, but not `rating is based on`); undefined where it has none. */
function labelled(line: string, code: string | undefined): string | undefined {
  const label = new RegExp(
    `\\brating${code === undefined ? '' : `\\s*${code}`}\\s*(?::|：|=|is\\s+(?=[[(-]*\\d))`,
    'gi',
  );
  const last = [...line.matchAll(label)].at(-1);
  return last && line.slice(last.index + last[0].length);
}

/**
 * Reads the rating of a reply: behind the last `Rating:`, else `[[2]]` or `2/2` in the last line, whatever the language.
 * Numbers between the grades count, as AxBench's do; those outside 0 to 2, of another scale, or two at once are missing.
 *
 * @param code Where the label must carry one, since what was judged could be taken for a rating itself.
 */
export function readRating(reply: string, code?: string): ReadRating {
  // What a reasoning model thinks aloud is no answer yet.
  const answer = plain(reply.replace(/^\s*<think>[\s\S]*?(?:<\/think>|$)/, ''));
  const lines = answer.split(/\r?\n/).filter((line) => line.trim() !== '');
  const rest = lines.flatMap((line) => labelled(line, code) ?? []).at(-1);
  const value = rest === undefined ? unlabelled(lines.at(-1) ?? '', code) : numberIn(rest);
  if (value === undefined) return rest === undefined ? NONE : { missing: 'a rating that cannot be read' };
  return value >= LEAST && value <= MOST ? { rating: value } : { missing: 'a rating outside 0 to 2' };
}

function unlabelled(line: string, code: string | undefined): number | undefined {
  if (code !== undefined) return undefined;
  if (/\[\[/.test(line)) return numberIn(line);
  const [, number] = WHOLE_LINE.exec(line) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** Whether a reply that repeats the text could be read as a rating. Wider than what is read, on purpose. */
export const looksLikeRating = (text: string): boolean => /rating|\[\[|\d\s*\/\s*2/i.test(plain(text));
