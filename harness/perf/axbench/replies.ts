/** @file The rating of a judge's reply, read as AxBench's own code reads it (evaluators/lm_judge.py at e9b8cd4). */

const [LEAST, MOST] = [0, 2];

/**
 * What follows the last `Rating:`, up to the end of its line, without brackets, a final dot, quotes and asterisks; null where that is
 * no number from 0 to 2, which AxBench counts as 0.
 */
export function axbenchRating(reply: string): number | null {
  const label = reply.lastIndexOf('Rating:');
  if (label < 0) return null;
  const [line = ''] = reply
    .slice(label + 'Rating:'.length)
    .trim()
    .split('\n');
  const bare = line.replace(/[[\]]/g, '').trim().replace(/\.$/, '').replace(/["'*]/g, '').trim();
  const value = /^-?\d+(?:\.\d+)?$/.test(bare) ? Number(bare) : Number.NaN;
  return value >= LEAST && value <= MOST ? value : null;
}
