/** @file Cells of a result: a measured value with its interval, an empty cell with its reason, reasons for whole sets. */

import type { MetricValue } from '../contract/task.ts';
import type { Estimate } from '../num/stats/interval.ts';

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
