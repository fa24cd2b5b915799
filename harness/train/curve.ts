/** @file The training curve: means over equal windows of steps, at most 200 points however long the run. */

/** One window's means. */
export interface CurvePoint {
  /** Steps done at the end of the window. */
  step: number;
  tokens: number;
  loss: number;
  parts: Record<string, number>;
  l0: number;
  /** 1 − Σ‖y − ŷ‖² / Σ‖y − ȳ‖² over the window, ȳ the mean of each batch. */
  explained_variance: number;
  /** At the window's end, in [0, 1]. */
  deadFraction: number;
}

/** What one step adds. */
export interface StepNumbers {
  loss: number;
  parts: Record<string, number>;
  l0: number;
  /** Σ‖y − ŷ‖² over the batch. */
  residual: number;
  /** Σ‖y − ȳ‖² over the batch. */
  variance: number;
}

/** JSON-safe: the points so far and the open window's sums. */
export interface CurveState {
  points: CurvePoint[];
  open: { n: number; loss: number; l0: number; residual: number; variance: number; parts: Record<string, number> };
}

const MAX_POINTS = 200;

const emptyWindow = (): CurveState['open'] => ({ n: 0, loss: 0, l0: 0, residual: 0, variance: 0, parts: {} });

/** Fraction of variance explained from two sums of squares; 0 where nothing varies and nothing is left over. */
export function explainedVariance(residual: number, variance: number): number {
  if (variance > 0) return 1 - residual / variance;
  return residual === 0 ? 1 : 0;
}

/** The curve of a run of `steps` steps, from its start or from a checkpoint's state. */
export function createCurve(steps: number, from?: CurveState) {
  const state: CurveState = from ? structuredClone(from) : { points: [], open: emptyWindow() };
  const window = Math.ceil(steps / MAX_POINTS);
  return {
    state,
    /** Adds step number `step` (1-based, after it was done). */
    add(step: number, tokens: number, numbers: StepNumbers, deadFraction: number): void {
      const { open } = state;
      open.n++;
      open.loss += numbers.loss;
      open.l0 += numbers.l0;
      open.residual += numbers.residual;
      open.variance += numbers.variance;
      for (const [name, value] of Object.entries(numbers.parts)) open.parts[name] = (open.parts[name] ?? 0) + value;
      if (step % window !== 0 && step !== steps) return;
      const mean = (sum: number) => sum / open.n;
      state.points.push({
        step,
        tokens,
        loss: mean(open.loss),
        parts: Object.fromEntries(Object.entries(open.parts).map(([name, sum]) => [name, mean(sum)])),
        l0: mean(open.l0),
        explained_variance: explainedVariance(open.residual, open.variance),
        deadFraction,
      });
      state.open = emptyWindow();
    },
  };
}
