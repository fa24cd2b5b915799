/** @file The ratings of a set as results, one a method, as those of tasks are: with rows, samples by rater, and what was left out. */
import type { MetricValue, ResultRow, RowSamples } from '../contract/task.ts';
import { UserError } from '../errors.ts';
import { sha256Json } from '../io/hash.ts';
import { emptyCell, plainCell } from '../kit/cells.ts';
import { createRng } from '../num/rng.ts';
import { crossedShare } from '../num/stats/crossed-bootstrap.ts';
import { ratioSamples } from '../num/stats/samples.ts';
import { checkedRows } from '../results/rows.ts';
import type { AssessmentKey } from '../schema/assessment-key.generated.ts';
import type { Result } from '../schema/result.generated.ts';
import { aboveControl, assessmentMetrics, CONTROLS } from './metrics.ts';
import { isNamed, nameWords } from './names.ts';
import { type KeptRaters, keptRaters, MOST_FAILED } from './raters.ts';
import type { Rating } from './ratings.ts';
import {
  aboveOther,
  correlationWith,
  type Judged,
  judgedAnswers,
  type MethodScores,
  methodScores,
  overUnits,
  retestOf,
  type Scored,
  tableOf,
} from './scores.ts';

function cellOf({ estimate, answers }: Scored, reason: string): MetricValue {
  if (!estimate) return emptyCell(reason);
  return { value: estimate.value, ci95: estimate.ci, n: answers, units: estimate.n };
}

/**
 * Accuracy by rater, whose mean is that of all answers, and what each latent adds to the error of each: methods are compared by
 * the same raters, over latents of their own.
 *
 * @param shared The units of all methods, where these have some in common, as pairs are: each method then says what all of them add.
 */
function samplesOf({ right: own, accuracy }: MethodScores, raters: number, shared?: string[]): RowSamples | undefined {
  const mean = accuracy.estimate?.value;
  if (mean === undefined || raters < 2 || own.latents < 2) return undefined;
  const { latents: L, sums, counts } = shared ? overUnits(own, shared, raters) : own;
  const by = (values: Float64Array, r: number) => values.subarray(r * L, (r + 1) * L);
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
  const places = Array.from({ length: raters }, (_, r) => r);
  const answers = total(counts);
  const values = ratioSamples(
    places.map((r) => total(by(sums, r))),
    places.map((r) => total(by(counts, r))),
    raters,
  );
  const sharedBy = places.map((r) => {
    const errors = Array.from(by(sums, r), (sum, l) => (raters * (sum - mean * by(counts, r)[l]!)) / answers);
    const centre = errors.reduce((sum, error) => sum + error, 0) / L;
    return errors.map((error) => error - centre);
  });
  return { unit: 'rater', ids: places.map((r) => `rater ${r + 1}`), values, sharedBy };
}

const rngOf = (what: string) => createRng(0).fork(`assess ${what}`);

/** What names alone have: how often there is one, and how often it tells its latent from others of the method. */
function nameCells({ judged }: MethodScores, raters: number): Record<string, MetricValue> {
  const named = tableOf(judged, raters, ({ answer }) => Number(isNamed(answer)));
  const estimate = crossedShare([named], [1], raters, rngOf('named'), [0, 1]);
  const common = new Map<number, string>();
  for (const latent of new Set(judged.map((one) => one.latent))) {
    const names = judged
      .filter((one) => one.latent === latent && isNamed(one.answer))
      .map(({ answer }) => nameWords(answer).join(' '));
    const counts = [...new Set(names)]
      .sort()
      .map((name) => ({ name, n: names.filter((each) => each === name).length }));
    const [most] = counts.sort((a, b) => b.n - a.n);
    if (most) common.set(latent, most.name);
  }
  const all = [...common.values()];
  const shared = all.filter((name) => all.filter((each) => each === name).length > 1).length;
  return {
    named: cellOf({ estimate, answers: named.answers }, 'no answers'),
    collisions: all.length === 0 ? emptyCell('no latent was named') : plainCell(shared / all.length, all.length),
  };
}

/** Share of answers that chose the latent of the higher MS score; each pair stands there twice, and counts once. */
function msAgreement(judged: readonly Judged[], raters: number): MetricValue {
  const pairs = tableOf(judged, raters, ({ latent, item, answer }) =>
    item.gold === null || item.latents[0] !== latent ? undefined : Number(answer === item.gold),
  );
  const estimate = crossedShare([pairs], [1], raters, rngOf('ms'), [0, 1]);
  return cellOf({ estimate, answers: pairs.answers }, 'no pair has different MS scores');
}

/** What is the same in the rows of all methods. */
interface Overall {
  key: AssessmentKey;
  raters: readonly string[];
  scores: readonly MethodScores[];
  cells: Record<string, MetricValue>;
}

function overallCells(
  key: AssessmentKey,
  judged: readonly Judged[],
  ratings: readonly Rating[],
  raters: readonly string[],
): Record<string, MetricValue> {
  const correlation = (scoreOf: Parameters<typeof correlationWith>[2], missing: string) =>
    cellOf(correlationWith(key, judged, scoreOf), missing);
  return {
    retest: cellOf(retestOf(key, judged, ratings, raters), 'no repeated question was answered twice'),
    spearman_ms: correlation(({ ms }) => ms, 'fewer than three latents have answers and an MS score, or all are alike'),
    spearman_detection: correlation(
      ({ detection }) => detection?.auroc ?? null,
      'fewer than three latents have answers and a concept that they tell, or all are alike',
    ),
    ...(key.protocol === 'pair' ? { ms_agreement: msAgreement(judged, raters.length) } : {}),
  };
}

/** The methods that are a control, by the id that its results have. */
const placeOf = ({ methods }: AssessmentKey, id: string): number =>
  methods.findIndex(({ result }) => result.method.id === id);

function rowOf(place: number, { key, raters, scores, cells }: Overall): ResultRow {
  const own = scores[place]!;
  const R = raters.length;
  const beside = CONTROLS.map((control): [string, MetricValue] => {
    const other = placeOf(key, control);
    const name = aboveControl(control);
    if (other === place) return [name, emptyCell('the control itself')];
    if (other < 0) return [name, emptyCell(`${control} is not among the methods`)];
    return [name, cellOf(aboveOther(own, scores[other]!, R), 'no answers with a right one')];
  });
  const unknown = key.protocol === 'name' ? 'no concept is known that its latents tell' : 'no answers';
  const shared = key.protocol === 'pair' ? [...new Set(scores.flatMap(({ right }) => right.units))].sort() : undefined;
  const samples = samplesOf(own, R, shared);
  return {
    axes: {},
    metrics: {
      accuracy: cellOf(own.accuracy, unknown),
      above_chance: cellOf(own.aboveChance, unknown),
      ...Object.fromEntries(beside),
      alpha: cellOf(own.alpha, 'fewer than two raters answered the same question, or all answers are equal'),
      ...(key.protocol === 'name' ? nameCells(own, R) : {}),
      seconds: plainCell(own.seconds, own.judged.length, 'no answers'),
      raters: plainCell(own.raters, 1),
      latents: plainCell(new Set(own.judged.map(({ latent }) => latent)).size, 1),
      ...cells,
    },
    ...(samples ? { samples } : {}),
  };
}

export interface AssessedResults extends KeptRaters {
  results: Result[];
}

/**
 * Results of the methods of a set.
 *
 * @throws UserError where no rater counts.
 */
export function assessmentResults(key: AssessmentKey, given: readonly Rating[]): AssessedResults {
  // In one order: the bootstraps draw by place, and what files were named first must not move an interval.
  const placeOfRating = ({ rater, item }: Rating) => JSON.stringify([rater, item]);
  const ratings = [...given].sort((a, b) => (placeOfRating(a) < placeOfRating(b) ? -1 : 1));
  const kept = keptRaters(key, ratings);
  const { raters, excluded } = kept;
  if (raters.length === 0) {
    const [first] = excluded;
    throw new UserError(
      `assess import: expected a rater who passed the attention checks; found ${first ? `none of ${excluded.length}: ${first.rater} ${first.reason}` : 'no answer at all'}.`,
    );
  }
  const judged = judgedAnswers(key, ratings, raters);
  const scores = key.methods.map((_, m) => methodScores(key, m, judged, raters.length));
  const overall: Overall = { key, raters, scores, cells: overallCells(key, judged, ratings, raters) };
  const counted = ratings.filter(({ rater }) => raters.includes(rater));
  const asked = key.items.filter(({ kind }) => kind !== 'check').length;
  const answered = sha256Json(counted.map(({ rater, item, answer, seconds }) => [rater, item, answer, seconds]));
  const details = {
    ...{ set: key.set, draw: key.seed, rule: key.rule },
    ...{ raters: raters.length, excluded: excluded.map(({ reason }) => reason) },
    rule_of_exclusion: `failed more than ${100 * MOST_FAILED} % of the attention checks answered, or answered none or nothing else`,
    questions: asked,
  };
  const metrics = assessmentMetrics(key.protocol);
  const results = key.methods.map(({ eligible, result: template }, place): Result => {
    const of = (hash: string) => sha256Json([hash, key.set, answered]);
    const { settings, provenance } = template;
    const left =
      excluded.length === 0
        ? []
        : [
            {
              code: 'raters-excluded',
              message: `${excluded.length} of ${raters.length + excluded.length} raters do not count: they failed attention checks, or answered none or nothing else`,
            },
          ];
    const own = of(template.key);
    return {
      ...template,
      key: own,
      settings: { ...settings, row: of(settings.row), table: of(settings.table) },
      rows: checkedRows({ rows: [rowOf(place, overall)] }, metrics, `assess ${key.protocol}`),
      details: { ...details, eligible },
      ...(left.length > 0 ? { marks: left } : {}),
      provenance: { ...provenance, steps: { ...provenance.steps, evaluate: own } },
    };
  });
  return { ...kept, results };
}
