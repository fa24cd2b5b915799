/** @file Numbers that are ratios of sums over documents, with intervals over documents. */
import type { MetricDefinition, MetricValue } from '../../harness/contract.ts';
import { emptyCell, ratioInterval } from '../../harness/kit/index.ts';

/** Sums over the positions of each document: every column has one entry a document. */
export type DocumentSums = Record<string, Float64Array>;

/** A sum of columns, each times its factor. */
type Terms = Record<string, number>;

/** Numbers as ratios: Σ top ÷ Σ bottom over documents, undefined where Σ bottom is not above zero. */
export type Ratios = Record<string, { top: Terms; bottom: Terms }>;

/**
 * The ratios over all documents with their 95 % intervals: positions of one document are not independent, documents
 * are. `units` is the column that counts what is averaged over. A ratio of columns that are not there is left out.
 */
export function documentRatios(
  sums: DocumentSums,
  units: string,
  ratios: Ratios,
  definitions: Record<string, MetricDefinition>,
): Record<string, MetricValue> {
  const n = sums[units]!.reduce((sum, value) => sum + value, 0);
  const known = Object.entries(ratios).filter(([, { top, bottom }]) =>
    Object.keys({ ...top, ...bottom }).every((column) => sums[column]),
  );
  return Object.fromEntries(
    known.map(([name, { top, bottom }]) => [
      name,
      cell(combined(sums, top), combined(sums, bottom), n, definitions[name]!.range),
    ]),
  );
}

function combined(sums: DocumentSums, terms: Terms): Float64Array {
  const parts = Object.entries(terms);
  return Float64Array.from(sums[parts[0]![0]]!, (_, i) =>
    parts.reduce((sum, [column, factor]) => sum + factor * sums[column]![i]!, 0),
  );
}

function cell(top: Float64Array, bottom: Float64Array, n: number, range: MetricDefinition['range']): MetricValue {
  const total = bottom.reduce((sum, value) => sum + value, 0);
  const estimate = ratioInterval(top, bottom, range);
  if (total <= 0 || !estimate || !Number.isFinite(estimate.value)) {
    // A share of what ablation costs is none where the ablated subject predicts as well or better, as one with random weights may.
    return emptyCell(`undefined: its denominator is ${total < 0 ? 'below ' : ''}zero on these activations`, n);
  }
  // A sum of divergences can fall below zero by rounding; a divergence cannot.
  const value = Math.min(Math.max(estimate.value, range[0] ?? -Infinity), range[1] ?? Infinity);
  return { value, ci95: estimate.ci, n, units: top.length };
}
