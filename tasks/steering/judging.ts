/** @file Several judges of the same texts: what each was asked for, left out, and how far they agree. */
import type { JudgedRow, Judging, Mark, Rating, TaskJudge, TaskOutcome } from '../../harness/contract.ts';
import {
  agreementOf,
  canonicalJson,
  type Estimate,
  pairedSums,
  type RatedPair,
  rankCorrelation,
} from '../../harness/kit/index.ts';
import { type Ratings, ratingsOf } from './ratings.ts';

const NAMES = ['overall', 'concept', 'instruct', 'fluency'] as const;
/** The largest rating. */
const MOST = 2;
/** Rows that are asked for together: progress is told between them. */
const TOGETHER = 128;

/** A text as one judge rated it. */
interface RatedText {
  concept: string;
  ratings: Ratings;
  /** What it was given the second time. */
  again?: Ratings;
  later: boolean;
}

/** What one judge was asked for in an evaluation: each different text once, however often it was rated. */
export interface JudgeRecord {
  judge: TaskJudge;
  texts: Map<string, RatedText>;
}

/** All judges of a task, the one that ranks first. */
export const recordsOf = ({
  judge,
  otherJudges = [],
}: {
  judge?: TaskJudge;
  otherJudges?: TaskJudge[];
}): JudgeRecord[] => [judge!, ...otherJudges].map((each) => ({ judge: each, texts: new Map() }));

/**
 * Ratings of texts by a judge, which are noted in its record.
 *
 * @param byLikelihood Fluency of each where the judge gives none.
 */
export async function rateTexts(
  { judge, texts }: JudgeRecord,
  rows: readonly (JudgedRow & { text: string })[],
  byLikelihood: readonly number[],
  {
    signal,
    progress,
  }: { signal?: AbortSignal | undefined; progress: (done: number, total: number, note: string) => void },
): Promise<Ratings[]> {
  const given: Rating[] = [];
  for (let from = 0; from < rows.length; from += TOGETHER) {
    given.push(...(await judge.rate(rows.slice(from, from + TOGETHER), signal)));
    progress(given.length, rows.length, `texts judged by ${judge.id}`);
  }
  return rows.map(({ text, concept, prompt }, i) => {
    const rating = given[i]!;
    const ratings = ratingsOf(rating, byLikelihood[i]!);
    texts.set(canonicalJson([concept.id, prompt.id, text]), {
      ...{ concept: concept.id, ratings, later: rating.later === true && ratings.overall === null },
      ...(rating.again ? { again: ratingsOf(rating.again, byLikelihood[i]!) } : {}),
    });
    return ratings;
  });
}

/** Pairs of ratings of the texts that have both. */
function pairsOf(name: (typeof NAMES)[number], both: readonly (readonly [RatedText, Ratings])[]): RatedPair[] {
  return both.flatMap(([{ concept, ratings }, other]) => {
    const [x, y] = [ratings[name], other[name]];
    return x === null || y === null ? [] : [{ unit: concept, x, y }];
  });
}

/** The texts of a record with what another judge gave them, or the same one the second time. */
function compared({ texts }: JudgeRecord, other: JudgeRecord | undefined): [RatedText, Ratings][] {
  return [...texts].flatMap(([key, text]): [RatedText, Ratings][] => {
    const second = other ? other.texts.get(key)?.ratings : text.again;
    return second ? [[text, second]] : [];
  });
}

function judgingOf(record: JudgeRecord, others: readonly JudgeRecord[]): Judging {
  const missing: Record<string, number> = {};
  for (const { ratings } of record.texts.values()) {
    if (ratings.overall !== null) continue;
    const reason = ratings.reason ?? 'no reason was given';
    missing[reason] = (missing[reason] ?? 0) + 1;
  }
  const agreement = [undefined, ...others].flatMap((other) => {
    const both = compared(record, other);
    if (both.length === 0) return [];
    return NAMES.map((rating) => ({ with: other?.judge.id ?? null, rating, ...pairedSums(pairsOf(rating, both)) }));
  });
  return { judge: record.judge.id, texts: record.texts.size, missing, agreement };
}

const cell = (estimate: Estimate | null) =>
  estimate ? { value: estimate.value, ci95: estimate.ci, n: estimate.n } : { value: null, ci95: null, n: 0 };

/** The statistics of this evaluation alone; tables join the sums of many. */
function agreementDetails(record: JudgeRecord, others: readonly JudgeRecord[]): Record<string, unknown>[] {
  return [undefined, ...others].flatMap((other) => {
    const both = compared(record, other);
    if (both.length === 0) return [];
    return NAMES.map((rating) => {
      const pairs = pairsOf(rating, both);
      const { texts, kappa, difference } = agreementOf(pairedSums(pairs), MOST);
      return {
        ...{ with: other ? other.judge.id : 'itself, asked again', rating, texts },
        kappa: cell(kappa),
        rank_correlation: cell(rankCorrelation(pairs)),
        mean_difference: cell(difference),
      };
    });
  });
}

function missingMark({ judge, texts, missing }: Judging): Mark[] {
  const reasons = Object.entries(missing).sort((a, b) => b[1] - a[1]);
  const count = reasons.reduce((sum, [, times]) => sum + times, 0);
  if (count === 0) return [];
  const told = reasons.map(([reason, times]) => `${times} × ${reason}`).join('; ');
  const message = `judge ${judge} left ${count} of ${texts} texts without a rating, which count nowhere: ${told}`;
  return [{ code: 'ratings-missing', message }];
}

/** What a later run may add. */
function incompleteOf(records: readonly JudgeRecord[]): string | undefined {
  const left = records.flatMap(({ judge, texts }) => {
    const later = [...texts.values()].filter((text) => text.later).length;
    return later > 0 ? [`${later} texts that judge ${judge.id} could not be asked for`] : [];
  });
  return left.length > 0 ? left.join(', ') : undefined;
}

/** The outcome under each judge, in one: rows have the axis `judge` where there are several. */
export function joinedOutcome(outcomes: readonly TaskOutcome[], records: readonly JudgeRecord[]): TaskOutcome {
  const [first, ...rest] = outcomes as [TaskOutcome, ...TaskOutcome[]];
  const othersOf = (record: JudgeRecord) => records.slice(0, records.indexOf(record));
  const judging = records.map((record) => judgingOf(record, othersOf(record)));
  const incomplete = incompleteOf(records);
  const agreement = Object.fromEntries(
    records
      .map((record) => [record.judge.id, agreementDetails(record, othersOf(record))])
      .filter(([, list]) => list!.length > 0),
  );
  const details = {
    ...first.details,
    ...Object.fromEntries(rest.map((outcome, i) => [`judge ${records[i + 1]!.judge.id}`, outcome.details])),
    ...(Object.keys(agreement).length > 0 ? { agreement } : {}),
  };
  return {
    ...first,
    rows: outcomes.flatMap(({ rows }, i) =>
      records.length > 1 ? rows.map((row) => ({ ...row, axes: { ...row.axes, judge: records[i]!.judge.id } })) : rows,
    ),
    details,
    judging,
    marks: [...(first.marks ?? []), ...judging.flatMap(missingMark)],
    ...(incomplete === undefined ? {} : { incomplete }),
  };
}

/** Makes each thing once, whichever judges want it; in the order that is asked for. @param keyOf What decides it. */
export function eachOnce<W, T>(keyOf: (wanted: W) => string, make: (wanted: W[]) => Promise<T[]>) {
  const known = new Map<string, T>();
  return async (wanted: readonly W[]): Promise<T[]> => {
    const missing = wanted.filter((each) => !known.has(keyOf(each)));
    const made = missing.length > 0 ? await make(missing) : [];
    missing.forEach((each, i) => {
      known.set(keyOf(each), made[i]!);
    });
    return wanted.map((each) => known.get(keyOf(each))!);
  };
}
