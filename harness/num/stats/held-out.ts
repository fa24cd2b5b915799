/** @file What a law is worth that extrapolates: its error on the largest size, which it has not seen, beside that of guesses. */
import { type Fitted, mean } from './law-form.ts';

/** Mean over cells of |predicted − observed| / observed at the largest size. */
export interface HeldOut {
  size: number;
  /** Cells that the means are over. */
  cells: number;
  /** Of the law fitted to all smaller sizes. */
  error: number;
  /** Of the guess that the largest size does as well as the next one. */
  unchanged: number;
  /** Of a straight line for each cell, ln loss against ln size through the next two sizes: what a law has to beat. */
  line: number;
}

/** How points are compared, and which law foretells them. */
export interface HeldOutBy<P, L> {
  sizeOf(point: P): number;
  /** What is the same at all sizes. */
  cellOf(point: P): string;
  /** Why the smaller sizes are too few for a law; undefined where they are not. */
  whyNoLaw(known: P[]): string | undefined;
  fit(known: P[]): Fitted<L>;
  lossOf(law: L, point: P): number;
}

/** Undefined where there are fewer than two smaller sizes or too few for a law. Losses of one cell and size are averaged. */
export function heldOut<P extends { loss: number }, L>(
  points: readonly P[],
  { sizeOf, cellOf, whyNoLaw, fit, lossOf }: HeldOutBy<P, L>,
): HeldOut | undefined {
  const sizes = [...new Set(points.map(sizeOf))].sort((a, b) => b - a);
  const [largest, next, before] = sizes;
  if (largest === undefined || next === undefined || before === undefined) return undefined;
  const known = points.filter((point) => sizeOf(point) < largest);
  if (whyNoLaw(known) !== undefined) return undefined;
  const { law } = fit(known);
  const lossAt = (size: number, cell: string) => {
    const own = points.filter((point) => sizeOf(point) === size && cellOf(point) === cell);
    return own.length > 0 ? mean(own.map(({ loss }) => loss)) : undefined;
  };
  const slope = Math.log(largest / next) / Math.log(next / before);
  const atLargest = new Map(
    points.filter((point) => sizeOf(point) === largest).map((point) => [cellOf(point), point] as const),
  );
  const errors = [...atLargest].flatMap(([cell, point]) => {
    const [observed, near, far] = [largest, next, before].map((size) => lossAt(size, cell));
    // The guesses need both smaller sizes: all errors are over the same cells.
    if (observed === undefined || near === undefined || far === undefined) return [];
    const guesses = { error: lossOf(law, point), unchanged: near, line: near * (near / far) ** slope };
    const off = (guess: number) => Math.abs(guess / observed - 1);
    return [{ error: off(guesses.error), unchanged: off(guesses.unchanged), line: off(guesses.line) }];
  });
  if (errors.length === 0) return undefined;
  const over = (name: 'error' | 'unchanged' | 'line') => mean(errors.map((each) => each[name]));
  return {
    size: largest,
    cells: errors.length,
    error: over('error'),
    unchanged: over('unchanged'),
    line: over('line'),
  };
}
