/** @file Numbers of one concept from the losses of its pairs, and the cells, samples, details and curves over concepts. */
import type { Concept, MetricValue, ResultRow, TaskOutcome } from '../../../harness/contract.ts';
import { allUnavailable, measuredCell, type PairLosses, preferenceOdds } from '../../../harness/kit/index.ts';
import type { Trial } from '../factor-search.ts';
import type { Kind } from '../interventions.ts';
import { blocksOf } from '../metrics.ts';
import type { SteeringVector } from '../steering-vectors.ts';
import { allowed, type Gate } from './bound.ts';
import type { Cost } from './capability.ts';
import { exponential, type Measured, measuredCosts, sharedItems } from './cost-cells.ts';
import { type Goal, HEADLINES, likelihoodMetrics, meanOverConcepts } from './metrics.ts';
import { type Gates, gatesOf, type OperatingPoint } from './operating-point.ts';
import { type Tried, utilityChanges } from './pair-change.ts';
import type { CleanPair } from './prepare.ts';
import type { StoredText } from './texts.ts';

/** All about one concept, steered in one way. */
export interface ConceptResult {
  kind: Kind | 'own' | 'none';
  concept: Concept;
  vector: SteeringVector;
  gate: Gate;
  trials: (Trial & { result: Tried })[];
  /** 0 where no factor keeps the bound. */
  factor: number;
  pairs: CleanPair[];
  /** Losses with that factor, by pair of the reporting half. */
  steered: PairLosses[];
  /** By document of the reporting half; absent where the documents cannot be steered so. */
  costs?: Cost[];
  /** At the one fixed factor. */
  fixed: OperatingPoint;
}

/** What is asked of methods: the goal, and what passes the gates. */
export interface Asked {
  goal: Goal;
  /** Least gain in the goal's sense. */
  least: number;
  /** Greatest loss of utility. */
  bound: number;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The metric whose values are logarithms until they are shown: its mean is a geometric one. */
const LOGS = 'perplexity_ratio';

/** Of all metrics that a concept has, in the goal's own sense of gain. */
function measuredOf(
  { pairs, steered, costs, factor, trials, fixed, gate }: ConceptResult,
  documents: readonly StoredText[],
  asked: Asked,
) {
  const { goal } = asked;
  const n = pairs.length;
  const rise = (of: (losses: PairLosses) => number) => (i: number) => of(steered[i]!) - of(pairs[i]!.clean);
  const sign = goal === 'promote' ? 1 : -1;
  const [positives, negatives] = [rise(({ positive }) => positive), rise(({ negative }) => negative)];
  const places = pairs.map((_, i) => i);
  const [risen, other] = [mean(places.map(positives)), mean(places.map(negatives))];
  const gain: Measured = {
    value: sign * (other - risen),
    influences: places.flatMap((i) => [
      { item: pairs[i]!.positive.item, value: (-sign * (positives(i) - risen)) / n },
      { item: pairs[i]!.negative.item, value: (sign * (negatives(i) - other)) / n },
    ]),
  };
  const changes = utilityChanges(pairs, steered);
  const cost = costs && measuredCosts(costs, documents);
  const greatest = trials.at(-1);
  const measured: Record<string, Measured | undefined> = {
    [HEADLINES[goal]]: gain,
    pref_odds: { value: mean(steered.map(preferenceOdds)) },
    pref_odds_clean: { value: mean(pairs.map(({ clean }) => preferenceOdds(clean))) },
    positive_gain: { value: -risen },
    util_change: changes.length > 0 ? { value: mean(changes) } : undefined,
    util_undefined: { value: 1 - changes.length / n },
    [LOGS]: cost?.loss,
    kl: cost?.kl,
    factor: { value: factor },
    at_end: { value: factor > 0 && greatest?.factor === factor ? 1 : 0 },
    fixed_gain: { value: sign * fixed.gain },
    ...passed(gatesOf(fixed, { ...asked, byPerplexity: gate === 'perplexity' })),
    no_factor: { value: factor === 0 && trials.length > 0 ? 1 : 0 },
  };
  return measured;
}

/** Each gate as a metric of one concept. */
function passed({ all, ...each }: Gates): Record<string, Measured | undefined> {
  const measured = (gate: boolean | undefined) => (gate === undefined ? undefined : { value: gate ? 1 : 0 });
  const named = Object.entries(each).map(([name, gate]) => [`gate_${name}`, measured(gate)]);
  return { ...Object.fromEntries(named), gates: measured(all) };
}

/** What a row says of the concepts that were steered. */
export function likelihoodRow(
  results: readonly ConceptResult[],
  documents: readonly StoredText[],
  asked: Asked,
  missing: string,
): Pick<ResultRow, 'metrics' | 'unavailable' | 'samples'> {
  const { goal } = asked;
  const definitions = likelihoodMetrics(goal);
  const all = results.map((result) => measuredOf(result, documents, asked));
  const known = (name: string) => all.flatMap((measured) => measured[name] ?? []);
  const cell = (name: string): MetricValue => {
    const values = known(name);
    const reason =
      values.length < all.length ? `undefined for ${all.length - values.length} of ${all.length} concepts` : '';
    const logs = name === LOGS;
    const definition = logs ? { ...definitions[name]!, range: [null, null] as [null, null] } : definitions[name]!;
    const estimate = meanOverConcepts(
      definition,
      values.map(({ value }) => value),
      sharedItems(values),
    );
    const found = measuredCell(estimate, reason || missing);
    return logs ? exponential(found) : found;
  };
  if (results.length === 0) return { metrics: {}, unavailable: allUnavailable(definitions, missing) };
  const headline = known(HEADLINES[goal]);
  return {
    metrics: Object.fromEntries(Object.keys(definitions).map((name) => [name, cell(name)])),
    samples: {
      unit: 'concept',
      ids: results.map(({ concept }) => concept.id),
      values: headline.map(({ value }) => value),
      sharedBy: blocksOf(sharedItems(headline)),
    },
  };
}

/** What a result says of one concept. */
export function likelihoodDetails(
  result: ConceptResult,
  documents: readonly StoredText[],
  asked: Asked,
): Record<string, unknown> {
  const { goal } = asked;
  const { concept, vector, gate, trials, factor, pairs } = result;
  const measured = Object.entries(measuredOf(result, documents, asked)).map(([name, found]) => [
    name,
    found ? (name === LOGS ? Math.exp(found.value) : found.value) : null,
  ]);
  return {
    id: concept.id,
    label: concept.label,
    ...vector.details,
    scale: vector.scale,
    gate,
    pairs: pairs.length,
    ...Object.fromEntries(measured),
    factor,
    tried: trials.map((trial) => ({
      factor: trial.factor,
      gain: finite((goal === 'promote' ? 1 : -1) * trial.result.gain),
      util_change: finite(trial.result.utility),
      util_undefined: trial.result.undefinedPairs,
      ...(trial.result.perplexity !== undefined && { ln_perplexity: finite(trial.result.perplexity) }),
      allowed: allowed(trial),
    })),
  };
}

const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);

/** Mean over concepts of gain and utility at each factor of the grid, on the selection half; `lo` and `hi` over concepts. */
export function likelihoodCurves(
  results: readonly ConceptResult[],
  factors: readonly number[],
  intervention: string,
  goal: Goal,
): NonNullable<TaskOutcome['curves']> {
  const sign = goal === 'promote' ? 1 : -1;
  const families = {
    'gain-by-factor': ({ gain }: Tried) => sign * gain,
    'utility-by-factor': ({ utility, perplexity }: Tried) => (perplexity === undefined ? utility : -perplexity),
  };
  const grid = [...factors].sort((a, b) => a - b);
  return Object.fromEntries(
    Object.entries(families).map(([family, of]) => {
      const points = grid.flatMap((factor) => {
        const values = results.flatMap(({ trials }) => {
          const found = trials.find((trial) => trial.factor === factor);
          return (found && finite(of(found.result))) ?? [];
        });
        const estimate = meanOverConcepts(likelihoodMetrics(goal)[HEADLINES[goal]]!, values, undefined);
        return estimate ? [{ factor, ...estimate }] : [];
      });
      const curve = {
        x: points.map(({ factor }) => factor),
        y: points.map(({ value }) => value),
        lo: points.map(({ value, ci }) => ci?.[0] ?? value),
        hi: points.map(({ value, ci }) => ci?.[1] ?? value),
      };
      return [`${family}/${intervention}`, curve];
    }),
  );
}
