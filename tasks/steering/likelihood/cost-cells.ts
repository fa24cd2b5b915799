/** @file What steering costs on held-out text, as values of concepts and as cells over them. */
import type { MetricDefinition, MetricValue } from '../../../harness/contract.ts';
import { crossedInterval, emptyCell, measuredCell } from '../../../harness/kit/index.ts';
import type { SharedItems } from '../metrics.ts';
import type { Cost } from './capability.ts';
import { type StoredText, tokensOf } from './texts.ts';

/** The two metrics; both are read at the chosen factors. */
export const COST_METRICS: Record<'perplexity_ratio' | 'kl', MetricDefinition> = {
  perplexity_ratio: {
    description: 'Capability cost: perplexity of held-out text steered ÷ not; geometric mean over concepts.',
    direction: 'min',
    range: [0, null],
    unit: '',
    version: 1,
  },
  kl: {
    description: 'Capability cost: KL(clean ‖ steered) of the next-token distributions on held-out text.',
    direction: 'min',
    range: [0, null],
    unit: 'nats/token',
    version: 1,
  },
};

/** A concept's value, and what each of the items behind it adds to its error: deviations that sum to 0. */
export interface Measured {
  value: number;
  influences?: { item: number; value: number }[];
}

/** Of one concept, over the tokens of all documents. */
export function measuredCosts(costs: readonly Cost[], documents: readonly StoredText[]): Record<keyof Cost, Measured> {
  const weights = documents.map(tokensOf);
  const all = weights.reduce((sum, tokens) => sum + tokens, 0);
  const measured = (of: (cost: Cost) => number): Measured => {
    const value = costs.reduce((sum, each, d) => sum + (of(each) * weights[d]!) / all, 0);
    const influences = costs.map((each, d) => ({
      item: documents[d]!.item,
      value: ((of(each) - value) * weights[d]!) / all,
    }));
    return { value, influences };
  };
  return { loss: measured(({ loss }) => loss), kl: measured(({ kl }) => kl) };
}

/** The cells of some concepts. */
export function costCells(
  costs: readonly (readonly Cost[])[],
  documents: readonly StoredText[],
): Record<keyof typeof COST_METRICS, MetricValue> {
  const all = costs.map((own) => measuredCosts(own, documents));
  const cell = (name: keyof Cost, range: MetricDefinition['range']) => {
    const own = all.map((each) => each[name]);
    const { influences, items } = sharedItems(own);
    const values = own.map(({ value }) => value);
    return measuredCell(crossedInterval(values, influences, items, range), 'no concept');
  };
  return { perplexity_ratio: exponential(cell('loss', [null, null])), kl: cell('kl', COST_METRICS.kl.range) };
}

/** Items of all concepts under small numbers, as intervals count them. */
export function sharedItems(values: readonly Measured[]): SharedItems {
  const places = new Map<number, number>();
  const placeOf = (item: number) => {
    const place = places.get(item) ?? places.size;
    places.set(item, place);
    return place;
  };
  const influences = values.map(({ influences = [] }) => ({
    items: influences.map(({ item }) => placeOf(item)),
    values: influences.map(({ value }) => value),
  }));
  return { influences, items: places.size };
}

/** The cell of a mean of logarithms, as a geometric mean. */
export function exponential(cell: MetricValue): MetricValue {
  if (cell.value === null) return cell;
  const [value, ...ends] = [cell.value, ...(cell.ci95 ?? [])].map(Math.exp);
  if (![value!, ...ends].every(Number.isFinite)) return emptyCell('too large to be told', cell.n);
  return { ...cell, value: value!, ci95: cell.ci95 && [ends[0]!, ends[1]!] };
}
