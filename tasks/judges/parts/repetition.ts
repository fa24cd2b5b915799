/** @file How much of a text repeats itself: what a likelihood cannot see, since repetitions are easy to predict. */

/** Length of the runs of tokens that are compared. */
const RUN = 3;

/** Share of runs of three tokens that occurred before in the same text, in [0, 1); 0 for fewer than four tokens. */
export function repeatedShare(ids: readonly number[]): number {
  const seen = new Set<string>();
  const runs = ids.length - RUN + 1;
  for (let i = 0; i < runs; i++) seen.add(ids.slice(i, i + RUN).join());
  return runs < 2 ? 0 : (runs - seen.size) / runs;
}
