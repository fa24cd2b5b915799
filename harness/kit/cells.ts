/** @file Cells of a result: a measured value with its interval, an empty cell with its reason, reasons for whole sets. */

import type { MetricDefinition, MetricValue } from '../contract/task.ts';
import type { ClusterRatio, Reconstruction } from '../num/metrics/reconstruction.ts';
import { type Estimate, ratioInterval } from '../num/stats/interval.ts';

/** An empty cell: never a zero where nothing was measured. */
export function emptyCell(reason: string, n = 0): MetricValue {
  return { value: null, ci95: null, n, reason };
}

/** One reason for all metrics of `metrics`, as rows take it in `unavailable`. */
export function allUnavailable(metrics: Record<string, unknown>, reason: string): Record<string, string> {
  return Object.fromEntries(Object.keys(metrics).map((name) => [name, reason]));
}

/** The cell of an estimate (95 %); empty, with `reason`, where there is none or it is not finite. */
export function measuredCell(estimate: Estimate | null, reason: string): MetricValue {
  if (!estimate || !Number.isFinite(estimate.value)) return emptyCell(reason, estimate?.n ?? 0);
  return { value: estimate.value, ci95: estimate.ci, n: estimate.n };
}

/** A value without an interval, e.g. a count; empty, with `reason`, where it is not finite. */
export function plainCell(value: number, n: number, reason = 'undefined here'): MetricValue {
  return Number.isFinite(value) ? { value, ci95: null, n } : emptyCell(reason, n);
}

/** The cells of the given metrics of a reconstruction; `n` counts positions, intervals are over documents. */
export function reconstructionCells<Name extends string>(
  measured: Reconstruction,
  metrics: Record<Name, MetricDefinition>,
): Record<Name, MetricValue> {
  const { tokens, ...values } = measured.metrics();
  const ratios: Partial<Record<string, ClusterRatio>> = measured.ratios();
  const cellOf = (name: Name): MetricValue => {
    const value = values[name as keyof typeof values];
    if (value === null) return emptyCell('undefined: its denominator is zero on these activations', tokens);
    const cell = plainCell(value, tokens);
    const ratio = ratios[name];
    if (!ratio) return cell;
    const interval = ratioInterval(ratio.numerators, ratio.denominators, metrics[name].range);
    return { ...cell, ci95: interval?.ci ?? null, units: ratio.numerators.length };
  };
  const names = Object.keys(metrics) as Name[];
  return Object.fromEntries(names.map((name) => [name, cellOf(name)])) as Record<Name, MetricValue>;
}
