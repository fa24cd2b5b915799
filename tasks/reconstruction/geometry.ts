/** @file How far reconstructions are from activations, and how sparse the codes are, over all kept positions. */
import {
  type ActivationSet,
  type FittedMethod,
  type MetricDefinition,
  type MetricValue,
  type RowSamples,
  UserError,
} from '../../harness/contract.ts';
import {
  densityHistogram,
  emptyCell,
  maxCosine,
  meanInterval,
  measuredCell,
  type Reconstruction,
  ratioSamples,
  reconstructionCells,
  SCAN_ROWS,
  scanKept,
} from '../../harness/kit/index.ts';
import { DECODER_METRICS } from './metrics.ts';

/** Densities from 10⁻⁷ on. */
const DECADES = 7;

/** The mean kept activation of a set, [d_in], accumulated in float64. */
export async function meanActivation(set: ActivationSet): Promise<Float32Array> {
  const sum = new Float64Array(set.d_in);
  let rows = 0;
  for await (const batch of scanKept(set, SCAN_ROWS)) {
    for (let at = 0; at < batch.x.length; at++) sum[at % set.d_in] = sum[at % set.d_in]! + batch.x[at]!;
    rows += batch.rows;
  }
  if (rows === 0) throw new UserError(`reconstruction: expected kept positions under '${set.policy}', found none`);
  return Float32Array.from(sum, (value) => value / rows);
}

/** Explained variance alone, under the definition of another metric. */
export function explainedVarianceCell(measured: Reconstruction, definition: MetricDefinition): MetricValue {
  return reconstructionCells(measured, { explained_variance: definition }).explained_variance;
}

/** Explained variance by block of documents; undefined where it is. */
export function explainedVarianceSamples(measured: Reconstruction): RowSamples | undefined {
  const ratio = measured.ratios().explained_variance;
  if (!ratio || measured.metrics().explained_variance === null) return undefined;
  return { unit: 'block of documents', values: ratioSamples(ratio.numerators, ratio.denominators) };
}

/** Cells of the directions of latents; intervals are over latents. */
export function decoderCells({ directions, d_sae }: FittedMethod): Record<string, MetricValue> {
  if (!directions || d_sae === undefined || d_sae < 2) {
    return { max_decoder_cosine: emptyCell('needs two latents with directions of their own') };
  }
  const { range } = DECODER_METRICS['max_decoder_cosine']!;
  const estimate = meanInterval(maxCosine(directions(), d_sae), range);
  return { max_decoder_cosine: measuredCell(estimate, 'the directions are not finite') };
}

/** Number of latents by log10 of their density; those that never fired are in no bin: `fraction_alive` counts them. */
export function densityCurve(measured: Reconstruction): { x: number[]; y: number[] } {
  const { edges, counts } = densityHistogram(measured.densities(), DECADES);
  return { x: counts.map((_, bin) => (edges[bin]! + edges[bin + 1]!) / 2), y: counts };
}
