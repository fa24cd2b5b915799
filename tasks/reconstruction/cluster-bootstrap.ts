/** @file Numbers that are functions of sums over documents, with intervals by resampling documents. */
import {
  columnSums,
  createRng,
  emptyCell,
  type MetricValue,
  resampledSums,
  sortedQuantile,
} from '../../harness/contract.ts';

/** Sums over the positions of each document: every column has one entry a document. */
export type DocumentSums = Record<string, Float64Array>;

/** Numbers from total sums; undefined where a denominator is zero. */
export type Statistics = (totals: Record<string, number>) => Record<string, number | undefined>;

const RESAMPLES = 1000;

/**
 * The statistics of all documents, each with its 95 % percentile interval over 1,000 samples of whole documents with
 * replacement: positions of one document are not independent. All statistics of one table share the samples.
 * `units` is the column that counts what is averaged over. Samples in which a statistic is undefined are left out.
 */
export function clusterBootstrap(
  sums: DocumentSums,
  units: string,
  statistics: Statistics,
): Record<string, MetricValue> {
  const names = Object.keys(sums);
  const documents = sums[units]!.length;
  const columns = new Float64Array(documents * names.length);
  names.forEach((name, c) => {
    sums[name]!.forEach((value, i) => {
      columns[i * names.length + c] = value;
    });
  });
  const statisticsOf = (totals: Float64Array) =>
    statistics(Object.fromEntries(names.map((name, c) => [name, totals[c]!])));
  const point = statisticsOf(columnSums(columns, names.length));
  const samples = Object.fromEntries(Object.keys(point).map((name) => [name, [] as number[]]));
  const rng = createRng('reconstruction/bootstrap');
  const resampled = documents > 1 ? resampledSums(columns, names.length, rng, RESAMPLES) : new Float64Array(0);
  for (let at = 0; at < resampled.length; at += names.length) {
    for (const [name, value] of Object.entries(statisticsOf(resampled.subarray(at, at + names.length)))) {
      if (value !== undefined && Number.isFinite(value)) samples[name]!.push(value);
    }
  }
  const n = sums[units]!.reduce((sum, value) => sum + value, 0);
  return Object.fromEntries(
    Object.entries(point).map(([name, value]) => [name, cell(value, samples[name]!, n)] as const),
  );
}

function cell(value: number | undefined, samples: number[], n: number): MetricValue {
  if (value === undefined || !Number.isFinite(value)) {
    return emptyCell('undefined: its denominator is zero on these activations', n);
  }
  if (samples.length === 0) return { value, ci95: null, n };
  const sorted = Float64Array.from(samples).sort();
  return { value, ci95: [sortedQuantile(sorted, 0.025), sortedQuantile(sorted, 0.975)], n };
}
