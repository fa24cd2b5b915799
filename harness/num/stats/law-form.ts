/**
 * @file Laws of losses that are a sum of two exponentials: least squares of ln loss with exact derivatives, and intervals of
 * the parameters by the bootstrap.
 */
import { createRng } from '../rng.ts';
import { leastSquares } from './least-squares.ts';
import { quantile } from './quantiles.ts';

/** A law with what the points say of it. */
export interface Fitted<L> {
  law: L;
  /** Root mean square of ln(observed / fitted). */
  residual: number;
}

/** Where the search begins: the part of the smallest loss that is taken for irreducible. */
const STARTS = [0.05, 0.3, 0.6, 0.9];

/** Values of the law's parameters in coordinates in which the points lie around 0. */
export type Vector = number[];

/** A law in coordinates of its own: ln of its value at a point and the derivatives of that. */
export interface Form<P> {
  /** Where the search begins, for a part of the loss that is taken for irreducible. */
  start(points: readonly P[], irreducible: number): Vector;
  value(params: Vector, point: P): { log: number; derivatives: Vector };
}

/** A law's form around the middle of some points, with the way between its coordinates and the law's own parameters. */
export interface LawForm<P, L> {
  form: Form<P>;
  lawOf(params: Vector): L;
  paramsOf(law: L): Vector;
}

/** ln(e^a + e^b) with the weights of both, without overflow. */
export function logSum(a: number, b: number): { log: number; first: number; second: number } {
  const most = Math.max(a, b);
  const [first, second] = [Math.exp(a - most), Math.exp(b - most)];
  return { log: most + Math.log(first + second), first: first / (first + second), second: second / (first + second) };
}

/** Least squares of ln loss, from several starts or from one: the fit with the least error. */
function fitForm<P extends { loss: number }>(
  form: Form<P>,
  points: readonly P[],
  near?: Vector,
): { params: Vector; residual: number } {
  const least = Math.min(...points.map(({ loss }) => loss));
  const starts = near ? [near] : STARTS.map((part) => form.start(points, part * least));
  const residualsAt = (params: Float64Array) => {
    const values = new Float64Array(points.length);
    const jacobian = new Float64Array(points.length * params.length);
    for (const [i, point] of points.entries()) {
      const { log, derivatives } = form.value([...params], point);
      values[i] = log - Math.log(point.loss);
      jacobian.set(derivatives, i * params.length);
    }
    return { values, jacobian };
  };
  const fits = starts.map((start) => leastSquares(residualsAt, start));
  const best = fits.reduce((a, b) => (b.sum < a.sum ? b : a));
  return { params: [...best.params], residual: Math.sqrt(best.sum / points.length) };
}

/** @param near A law to begin the search at; several starts are tried without one. */
export function fitLaw<P extends { loss: number }, L>(
  { form, lawOf, paramsOf }: LawForm<P, L>,
  points: readonly P[],
  near?: L,
): Fitted<L> {
  const { params, residual } = fitForm(form, points, near && paramsOf(near));
  return { law: lawOf(params), residual };
}

/** The law without its irreducible loss: begun at none, the search stays there. */
export function fitReducible<P extends { loss: number }, L>(
  { form, lawOf }: LawForm<P, L>,
  points: readonly P[],
): Fitted<L> {
  const { params, residual } = fitForm(form, points, form.start(points, 0));
  return { law: lawOf(params), residual };
}

export const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Intervals of a law's parameters: the fit on cells drawn with replacement, each cell with all its trainings, so that the
 * seeds of one cell count as one draw. Percentiles 2.5 and 97.5; draws on which no law can be fitted are left out.
 *
 * @param cells Trainings that differ in their seed only, cell by cell.
 * @returns null where under half of the draws could be fitted.
 */
export function bootstrapLaw<P, L extends object>(
  cells: readonly (readonly P[])[],
  fit: (points: P[], near?: L) => Fitted<L>,
  { draws = 200, seed = 0 } = {},
): Record<keyof L, [number, number]> | null {
  const rng = createRng(`scaling law ${seed}`);
  const laws: L[] = [];
  const { law } = fit(cells.flat());
  for (let draw = 0; draw < draws; draw++) {
    const points = cells.flatMap(() => rng.choice(cells));
    try {
      laws.push(fit(points, law).law);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  if (laws.length < draws / 2) return null;
  const interval = (name: keyof L): [number, number] => {
    const values = laws.map((law) => law[name] as number);
    return [quantile(values, 0.025)!, quantile(values, 0.975)!];
  };
  const names = Object.keys(laws[0]!) as (keyof L)[];
  return Object.fromEntries(names.map((name) => [name, interval(name)])) as Record<keyof L, [number, number]>;
}
