/** @file The choice of a steering factor: a grid, and beyond it where the best lies at its end. */

/** Factors that were tried, rising, each with its mean overall score on the selection half. */
export interface Trial {
  factor: number;
  score: number;
}

/** The widest step beyond a grid: it never more than doubles or halves the strength. */
const STEP = 2;

/** Rising by factor. */
const sorted = <T extends { factor: number }>(trials: readonly T[]): T[] =>
  [...trials].sort((a, b) => a.factor - b.factor);

/**
 * Place of the best among rising factors; of several that score the same the middle one (the lower of two). AxBench takes
 * the first: that puts whatever cannot be told apart, such as a method that never steers, at the least strength.
 */
export function bestPlace(scores: readonly number[]): number {
  const most = Math.max(...scores);
  const best = scores.flatMap((score, place) => (score === most ? [place] : []));
  return best[(best.length - 1) >> 1]!;
}

/** Whether the best lies at an end of what was tried: a factor beyond it might be better still. Not where all are equal. */
export function atEnd(trials: readonly Trial[]): boolean {
  if (trials.every(({ score }) => score === trials[0]!.score)) return false;
  const place = bestPlace(trials.map(({ score }) => score));
  return place === 0 || place === trials.length - 1;
}

/**
 * The factor to try next: beyond the end at which the best lies, as far from it as its neighbour is (in ratio, at most 2).
 * Undefined where the best lies within, or all score the same.
 */
export function nextFactor(trials: readonly Trial[]): number | undefined {
  if (!atEnd(trials)) return undefined;
  const factors = trials.map(({ factor }) => factor);
  const low = bestPlace(trials.map(({ score }) => score)) === 0;
  const [end, neighbour] = low ? [factors[0]!, factors[1]!] : [factors.at(-1)!, factors.at(-2)!];
  if (!(end > 0 && neighbour > 0)) return undefined;
  const ratio = end / neighbour;
  return end * Math.min(STEP, Math.max(1 / STEP, ratio));
}

/**
 * Tries the factors of a grid for all entries at once, then up to `steps` more for each entry for which `next` names one.
 *
 * @param measure Results for each wanted (entry, factor), in order.
 * @param scoreOf Mean overall score of a result; null where there is none: nothing is known of that factor then.
 * @param next The factor to try after these; undefined where the search ends.
 * @returns By entry what was tried and scored, rising by factor.
 */
export async function searchFactors<T>(
  entries: number,
  grid: readonly number[],
  steps: number,
  measure: (wanted: { entry: number; factor: number }[]) => Promise<T[]>,
  scoreOf: (result: T) => number | null,
  next: (tried: readonly Trial[]) => number | undefined = nextFactor,
): Promise<(Trial & { result: T })[][]> {
  const trials = Array.from({ length: entries }, (): (Trial & { result: T })[] => []);
  const run = async (wanted: { entry: number; factor: number }[]) => {
    const results = await measure(wanted);
    for (const [i, { entry, factor }] of wanted.entries()) {
      const result = results[i]!;
      const score = scoreOf(result);
      if (score !== null) trials[entry] = sorted([...trials[entry]!, { factor, score, result }]);
    }
  };
  await run(trials.flatMap((_, entry) => grid.map((factor) => ({ entry, factor }))));
  for (let step = 0; step < steps; step++) {
    const wanted = trials.flatMap((own, entry) => {
      const factor = next(own);
      return factor === undefined ? [] : [{ entry, factor }];
    });
    if (wanted.length === 0) break;
    await run(wanted);
  }
  return trials;
}
