/** @file What steering by likelihood reports: definitions of its metrics, and its two headlines. */
import type { MetricDefinition } from '../../../harness/contract.ts';
import { crossedInterval, type Estimate, preferenceOddsVersion } from '../../../harness/kit/index.ts';
import type { SharedItems } from '../metrics.ts';
import { COST_METRICS } from './cost-cells.ts';

/** Towards the concept, or away from it. */
export type Goal = 'promote' | 'suppress';

const metric = (
  description: string,
  direction: MetricDefinition['direction'],
  range: MetricDefinition['range'],
  unit = '',
): MetricDefinition => ({ description, direction, range, unit, version: 1 });

const odds = (description: string, direction: MetricDefinition['direction']): MetricDefinition => ({
  ...metric(description, direction, [null, null], 'nats/token'),
  version: preferenceOddsVersion,
});

/** The main metric of each goal. */
export const HEADLINES: Record<Goal, string> = { promote: 'pref_gain', suppress: 'pref_drop' };

const HEADLINE: Record<Goal, MetricDefinition> = {
  promote: odds(
    'Gain in PrefOdds by steering: rise of (loss of the text without the concept − loss of the text with it), mean over pairs.',
    'max',
  ),
  suppress: odds(
    'Drop of PrefOdds by steering with negative factors: fall of (loss of the text without the concept − loss of the text with it), mean over pairs.',
    'max',
  ),
};

/**
 * All but the headlines are the same for both goals. All are means over concepts on the reporting half, at the factor that
 * each concept's selection half chose under the bound on utility.
 */
export function likelihoodMetrics(goal: Goal): Record<string, MetricDefinition> {
  return {
    [HEADLINES[goal]]: { ...HEADLINE[goal], main: true },
    pref_odds: odds(
      'PrefOdds of the steered subject; above 0 where it finds the texts with the concept likelier.',
      'none',
    ),
    pref_odds_clean: odds('PrefOdds of the subject without steering, on the same pairs.', 'none'),
    positive_gain: odds(
      'Fall of the loss of the texts with the concept: the part of the gain that makes these likelier, not the others less so.',
      'none',
    ),
    util_change: odds('Change of UtilOdds over the pairs for which it is defined, steered and not.', 'max'),
    util_undefined: metric(
      'Share of pairs whose UtilOdds is undefined, steered or not: left out of util_change.',
      'none',
      [0, 1],
    ),
    ...COST_METRICS,
    factor: metric(
      'Factor chosen on the selection half, in units of the largest score that the method gave in training; 0 where none keeps the bound.',
      'none',
      [0, null],
    ),
    at_end: metric(
      'Share of concepts whose chosen factor is the greatest that was tried, none breaking the bound: a greater might be better.',
      'none',
      [0, 1],
    ),
    fixed_gain: odds(
      `${goal === 'promote' ? 'Gain in' : 'Drop of'} PrefOdds at the one fixed factor, which nothing chose (FaithSteer's operating point).`,
      'max',
    ),
    gate_concept: metric(
      'Share of concepts that pass the gate of concept at the fixed factor: enough is gained (leastGain).',
      'max',
      [0, 1],
    ),
    gate_utility: metric(
      'Share of concepts that pass the gate of utility there: what is lost is within the bound that the tuned factor keeps.',
      'max',
      [0, 1],
    ),
    gate_robustness: metric(
      'Share of concepts that pass the gate of robustness there: enough is gained too where a sentence stands before the texts.',
      'max',
      [0, 1],
    ),
    gates: metric('Share of concepts that pass all three gates at the fixed factor.', 'max', [0, 1]),
    both_gain: odds(
      `${goal === 'promote' ? 'Gain in' : 'Drop of'} PrefOdds of a concept while another is steered to as well, each at its own factor; mean over pairs of concepts.`,
      'max',
    ),
    both_lost: odds('What of it the second concept costs: with its own vector alone, less with both.', 'min'),
    both_hold: metric(
      'Share of pairs of concepts of which both gain enough (leastGain) when both are steered to at once.',
      'max',
      [0, 1],
    ),
    no_factor: metric(
      'Share of concepts for which no factor keeps the bound: they count as not steered.',
      'none',
      [0, 1],
    ),
  };
}

/** Mean over concepts with its interval, over other concepts and other texts of the same kind. */
export function meanOverConcepts(
  { range }: MetricDefinition,
  values: readonly number[],
  shared: SharedItems | undefined,
): Estimate | null {
  return crossedInterval(values, shared?.influences ?? [], shared?.items ?? 0, range);
}
