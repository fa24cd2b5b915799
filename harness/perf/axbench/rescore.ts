/**
 * @file Released runs of AxBench scored again by the metrics of this package, beside the numbers that they were released with:
 * `npm run rescore -- DIR [DIR …] [--unreadable zero]`.
 */
import { auroc } from '../../num/metrics/roc.ts';
import { meanOf, meansByFactor, outcomes, type Unreadable, winRate } from './protocol.ts';
import {
  type DetectionRow,
  type Released,
  readDetection,
  readReleased,
  readSteering,
  type SteeringRun,
} from './released.ts';

/** Our numbers of one method beside the released ones. */
interface Compared {
  /** Concepts that both have. */
  compared: number;
  /** Largest difference; null where nothing was released. */
  difference: number | null;
}

export interface DetectionScores extends Compared {
  method: string;
  byConcept: Map<number, number>;
  mean: number;
}

export interface SteeringScores extends Compared {
  method: string;
  generations: number;
  /** Ratings that could not be read from their replies, of three a generation. */
  unreadable: number;
  /** The stored concept ratings are 2 less those of the replies: scored as suppression. */
  suppression: boolean;
  /** Mean over concepts at the factors that the first half of the instructions chooses, on the other half, by the replies. */
  overall: number | null;
  outcomes: ReturnType<typeof outcomes>;
}

const largest = (differences: readonly number[]): number | null =>
  differences.length === 0 ? null : Math.max(...differences);

/** AUROC by concept on positives and negatives, as released: hard negatives are left out. */
export function scoreDetection(rows: readonly DetectionRow[], method: string, released: Released): DetectionScores {
  const byConcept = new Map<number, number>();
  for (const concept of new Set(rows.map((row) => row.concept))) {
    const own = rows.filter((row) => row.concept === concept && row.positive !== undefined);
    const area = auroc(
      own.map(({ scores }) => scores[method]!),
      own.map(({ positive }) => positive!),
    );
    if (area !== null) byConcept.set(concept, area);
  }
  const theirs = [...(released.auroc.get(method) ?? [])].filter(([concept]) => byConcept.has(concept));
  return {
    method,
    byConcept,
    mean: meanOf([...byConcept.values()]) ?? Number.NaN,
    compared: theirs.length,
    difference: largest(theirs.map(([concept, area]) => Math.abs(area - byConcept.get(concept)!))),
  };
}

/**
 * Harmonic means of the ratings as they are read from the replies. Compared with the released means by concept and factor,
 * and with the stored score of each generation, the way they were made: the concept turned where it was scored as suppression,
 * an unreadable rating 0.
 */
export function scoreSteering(
  { method, generations }: SteeringRun,
  released: Released,
  unreadable: Unreadable,
): SteeringScores {
  const readable = generations.filter(({ ratings }) => ratings[0] !== null);
  const suppression =
    readable.some(({ ratings, stored }) => stored[0] !== ratings[0]) &&
    readable.every(({ ratings, stored }) => stored[0] === 2 - ratings[0]!);
  const turned = generations.map((each) => {
    const [concept, ...others] = each.ratings;
    return { ...each, ratings: [suppression && concept !== null ? 2 - concept : concept, ...others] as const };
  });
  const differences = [...(released.overall.get(method) ?? [])].flatMap(([concept, theirs]) => {
    const ours = meansByFactor(
      turned.filter((each) => each.concept === concept),
      'zero',
    );
    return theirs.map(({ factor, overall }) =>
      Math.abs(overall - (ours.find((each) => each.factor === factor)?.overall ?? Number.POSITIVE_INFINITY)),
    );
  });
  const found = outcomes(generations, unreadable);
  return {
    method,
    generations: generations.length,
    unreadable: generations.flatMap(({ ratings }) => ratings.filter((rating) => rating === null)).length,
    suppression,
    overall: meanOf(found.map(({ overall }) => overall)),
    outcomes: found,
    compared: released.overall.get(method)?.size ?? 0,
    difference: largest(differences),
  };
}

const six = (value: number | null): string => (value === null ? '–' : value.toFixed(6));
const against = ({ compared, difference }: Compared): string =>
  difference === null
    ? 'nothing released'
    : `largest difference from the released, ${compared} concepts: ${difference.toExponential(1)}`;

/** What a folder's run scores, in lines. */
export async function rescore(folder: string, unreadable: Unreadable): Promise<string[]> {
  const [detection, steering, released] = await Promise.all([
    readDetection(folder),
    readSteering(folder),
    readReleased(folder),
  ]);
  const lines = (detection?.methods ?? []).map((method) => {
    const scores = scoreDetection(detection!.rows, method, released);
    return `detection ${method}: mean AUROC ${six(scores.mean)} over ${scores.byConcept.size} concepts; ${against(scores)}`;
  });
  const scored = steering.map((run) => scoreSteering(run, released, unreadable));
  for (const scores of scored) {
    const missing = unreadable === 'zero' ? 'counted as 0' : 'missing';
    lines.push(
      `steering ${scores.method}: ${six(scores.overall)} over ${scores.outcomes.length} concepts at chosen factors; ` +
        `${scores.generations} generations, ${scores.unreadable} ratings unreadable (${missing}); ${against(scores)}` +
        (scores.suppression
          ? '; released as suppression (2 less the concept rating of the reply), the score here is of steering'
          : ''),
    );
    for (const other of scored) {
      if (other !== scores)
        lines.push(
          `win rate ${scores.method} against ${other.method}: ${six(winRate(scores.outcomes, other.outcomes))}`,
        );
    }
  }
  return lines;
}
