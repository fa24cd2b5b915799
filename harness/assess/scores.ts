/** @file What answers say of each method: how often they were right, beside chance and controls, and how far raters agree. */

import { createRng } from '../num/rng.ts';
import { rankCorrelation } from '../num/stats/agreement.ts';
import { type CrossedTable, crossedShare } from '../num/stats/crossed-bootstrap.ts';
import type { Estimate, Range } from '../num/stats/interval.ts';
import { krippendorff, nominal } from '../num/stats/krippendorff.ts';
import { medianInterval } from '../num/stats/median.ts';
import type { AssessmentKey, KeyItem, KeyLatent } from '../schema/assessment-key.generated.ts';
import { nameDistance, nameFits, nameWords } from './names.ts';
import { PROTOCOLS } from './protocols.ts';
import { canonicalAnswer } from './raters.ts';
import type { Rating } from './ratings.ts';

/** An estimate with the number of answers that it is of. */
export interface Scored {
  estimate: Estimate | null;
  answers: number;
}

/** What an answer says of one latent. */
export interface Judged {
  rater: number;
  /** Its place in the key. */
  latent: number;
  /** What else is asked about is independent of: the latent, or of a pair the question, whose one answer speaks of both. */
  unit: string;
  item: KeyItem;
  answer: string;
  seconds: number;
  /** 1 right, 0 wrong; undefined where nothing is right. */
  right?: number;
  /** What one who guesses would have got. */
  chance: number;
}

const UNIT: Range = [0, 1];
const SIGNED: Range = [-1, 1];

/** Whether a name fits its latent, and how many of all latents' concepts it would fit. */
function namedRight(answer: string, own: KeyLatent, labels: readonly string[]): Pick<Judged, 'right' | 'chance'> {
  if (!own.detection) return { chance: 0 };
  const words = nameWords(answer);
  const fitting = labels.filter((label) => nameFits(words, label)).length;
  return { right: Number(nameFits(words, own.detection.label)), chance: fitting / labels.length };
}

/** Each answer to a question with what it says of each of the latents that the question is about. */
export function judgedAnswers(key: AssessmentKey, ratings: readonly Rating[], raters: readonly string[]): Judged[] {
  const items = new Map(key.items.map((item) => [item.id, item]));
  const labels = key.latents.flatMap(({ detection }) => (detection ? [detection.label] : []));
  const { chance } = PROTOCOLS[key.protocol];
  return ratings.flatMap(({ rater, item: id, answer, seconds }) => {
    const item = items.get(id)!;
    const place = raters.indexOf(rater);
    if (place < 0 || item.kind !== 'question') return [];
    return item.latents.map((latent, group): Judged => {
      const unit = key.protocol === 'pair' ? item.id : String(latent);
      const common = { rater: place, latent, unit, item, answer, seconds };
      if (key.protocol === 'name') return { ...common, ...namedRight(answer, key.latents[latent]!, labels) };
      const gold = key.protocol === 'pair' ? String(group + 1) : item.gold;
      return { ...common, right: Number(answer === gold), chance: chance! };
    });
  });
}

/** Values by rater and unit, with the names of the units. */
export interface AnswerTable extends CrossedTable {
  units: string[];
  answers: number;
}

/** Values of answers by rater and unit, of those that have one. */
export function tableOf(
  judged: readonly Judged[],
  raters: number,
  value: (one: Judged) => number | undefined,
): AnswerTable {
  const valued = judged.flatMap((one) => {
    const own = value(one);
    return own === undefined ? [] : [{ ...one, own }];
  });
  const ordered = [...valued].sort((a, b) => a.latent - b.latent);
  const units = [...new Set(ordered.map(({ unit }) => unit))];
  const places = new Map(units.map((unit, i) => [unit, i]));
  const [sums, counts] = [new Float64Array(raters * units.length), new Float64Array(raters * units.length)];
  for (const { rater, unit, own } of valued) {
    const at = rater * units.length + places.get(unit)!;
    sums[at]! += own;
    counts[at]! += 1;
  }
  return { latents: units.length, units, sums, counts, answers: valued.length };
}

/** The same over other units: nothing of those that it has not. */
export function overUnits(
  { units: own, sums, counts, answers }: AnswerTable,
  units: string[],
  raters: number,
): AnswerTable {
  const places = units.map((unit) => own.indexOf(unit));
  const spread = (values: Float64Array) =>
    Float64Array.from({ length: raters * units.length }, (_, i) => {
      const place = places[i % units.length]!;
      return place < 0 ? 0 : values[Math.floor(i / units.length) * own.length + place]!;
    });
  return { latents: units.length, units, sums: spread(sums), counts: spread(counts), answers };
}

export interface MethodScores {
  judged: Judged[];
  right: AnswerTable;
  accuracy: Scored;
  aboveChance: Scored;
  alpha: Scored;
  /** Median of an answer; not a number of none. */
  seconds: number;
  raters: number;
}

/** One seed for all: the intervals of a set of ratings are the same each time. */
const rngOf = (what: string) => createRng(0).fork(`assess ${what}`);

function scored(table: AnswerTable, raters: number, what: string, range: Range): Scored {
  return { estimate: crossedShare([table], [1], raters, rngOf(what), range), answers: table.answers };
}

/** Krippendorff's α over the questions of the method, those of one latent together. */
function alphaOf(judged: readonly Judged[], { protocol }: AssessmentKey): Scored {
  const byItem = new Map<string, Judged[]>();
  for (const one of judged) byItem.set(one.item.id, [...(byItem.get(one.item.id) ?? []), one]);
  const categories = new Map<string, number>();
  const words: string[][] = [];
  const categoryOf = ({ answer, item }: Judged): number => {
    const own = protocol === 'name' ? nameWords(answer) : [canonicalAnswer(answer, item)];
    const name = own.join(' ');
    if (!categories.has(name)) {
      categories.set(name, categories.size);
      words.push(own);
    }
    return categories.get(name)!;
  };
  // Of a pair of one method's own, each answer is there for both latents.
  const units = [...byItem.values()].map((all) => all.filter(({ latent }) => latent === all[0]!.latent));
  const distance = protocol === 'name' ? (a: number, b: number) => nameDistance(words[a]!, words[b]!) : nominal;
  const estimate = krippendorff(
    units.map((all) => all.map(categoryOf)),
    units.map(([one]) => one!.latent),
    rngOf('alpha'),
    distance,
  );
  return { estimate, answers: units.reduce((sum, all) => sum + all.length, 0) };
}

/** How often questions of any method were answered as before when they came again. */
export function retestOf(
  key: AssessmentKey,
  judged: readonly Judged[],
  ratings: readonly Rating[],
  raters: readonly string[],
): Scored {
  const answers = new Map(ratings.map(({ rater, item, answer }) => [JSON.stringify([rater, item]), answer]));
  const repeats = new Map(key.items.flatMap((item) => (item.kind === 'repeat' ? [[item.of!, item] as const] : [])));
  const alike = tableOf(judged, raters.length, ({ rater, latent, item, answer }) => {
    const again = repeats.get(item.id);
    const second = again && answers.get(JSON.stringify([raters[rater], again.id]));
    // Of a pair once, not for both of its latents.
    if (second === undefined || latent !== Math.min(...item.latents)) return undefined;
    if (key.protocol === 'name') return Number(nameWords(second).join() === nameWords(answer).join());
    return Number(canonicalAnswer(second, again!) === canonicalAnswer(answer, item));
  });
  return scored(alike, raters.length, 'retest', UNIT);
}

/** The scores of one method of the key. */
export function methodScores(key: AssessmentKey, method: number, all: readonly Judged[], R: number): MethodScores {
  const methodOf = (latent: number) => key.latents[latent]!.method;
  const judged = all.filter(({ latent }) => methodOf(latent) === method);
  // Of two latents of its own one is always chosen: nothing of the method shows in that.
  const telling = judged.filter(
    ({ item }) => key.protocol !== 'pair' || item.latents.some((latent) => methodOf(latent) !== method),
  );
  const right = tableOf(telling, R, (one) => one.right);
  const { chance } = PROTOCOLS[key.protocol];
  const above = tableOf(telling, R, (one) => (one.right === undefined ? undefined : one.right - one.chance));
  return {
    judged,
    right,
    accuracy: scored(right, R, 'accuracy', UNIT),
    aboveChance: scored(above, R, 'accuracy', chance === null ? SIGNED : [-chance, 1 - chance]),
    alpha: alphaOf(judged, key),
    seconds: medianInterval(judged.map(({ seconds }) => seconds))?.value ?? Number.NaN,
    raters: new Set(judged.map(({ rater }) => rater)).size,
  };
}

/** The share of a method less that of another, by the same raters; of pairs in which the two met, an answer for one is one against the other. */
export function aboveOther(one: MethodScores, other: MethodScores, raters: number): Scored {
  const tables = [one.right, other.right];
  const shared = one.right.units.some((unit) => other.right.units.includes(unit));
  const all = [...new Set(tables.flatMap(({ units }) => units))];
  const over = shared ? tables.map((table) => overUnits(table, all, raters)) : tables;
  const estimate = crossedShare(over, [1, -1], raters, rngOf('difference'), SIGNED, shared);
  return { estimate, answers: one.right.answers };
}

/** Spearman correlation, over all latents, of the share of right answers with a score of the key. */
export function correlationWith(
  key: AssessmentKey,
  judged: readonly Judged[],
  scoreOf: (latent: KeyLatent) => number | null,
): Scored {
  const sums = new Map<number, { right: number; n: number; unit: string }>();
  for (const { latent, right, unit } of judged) {
    if (right === undefined) continue;
    const own = sums.get(latent) ?? { right: 0, n: 0 };
    sums.set(latent, { right: own.right + right, n: own.n + 1, unit });
  }
  const pairs = [...sums].flatMap(([latent, { right, n, unit }]) => {
    const y = scoreOf(key.latents[latent]!);
    return y === null ? [] : [{ unit, x: right / n, y }];
  });
  return { estimate: pairs.length > 2 ? rankCorrelation(pairs) : null, answers: pairs.length };
}
