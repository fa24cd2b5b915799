/**
 * @file Scaling laws of SAEs: loss against the number of latents n and of active latents k (Gao et al. 2024,
 * arXiv:2406.04093, section 3), and against compute C, with bootstrap intervals and the error on a width that was held out.
 */
import { createRng } from '../rng.ts';
import { leastSquares } from './least-squares.ts';
import { quantile } from './quantiles.ts';

/** One trained SAE: n latents, k of them active at a time, and the loss that it reached, over 0. */
export interface ScalingPoint {
  n: number;
  k: number;
  loss: number;
}

/**
 * L(n, k) = exp(alpha + beta_k·ln k + beta_n·ln n + gamma·ln k·ln n) + exp(zeta + eta·ln k): what more latents take away,
 * and what no number of latents does.
 */
export interface JointLaw {
  alpha: number;
  beta_k: number;
  beta_n: number;
  gamma: number;
  zeta: number;
  eta: number;
}

/** L(C) = irreducible + scale·C^exponent. */
export interface ComputeLaw {
  irreducible: number;
  scale: number;
  exponent: number;
}

/** A law with what the points say of it. */
export interface Fitted<L> {
  law: L;
  /** Root mean square of ln(observed / fitted). */
  residual: number;
}

/** Where the search begins: the part of the smallest loss that is taken for irreducible. */
const STARTS = [0.05, 0.3, 0.6, 0.9];

/** Values of the law's parameters in coordinates in which the points lie around 0. */
type Vector = number[];

/** A law in coordinates of its own: ln of its value at a point and the derivatives of that. */
interface Form<P> {
  /** Where the search begins, for a part of the loss that is taken for irreducible. */
  start(points: readonly P[], irreducible: number): Vector;
  value(params: Vector, point: P): { log: number; derivatives: Vector };
}

/** ln(e^a + e^b) with the weights of both, without overflow. */
function logSum(a: number, b: number): { log: number; first: number; second: number } {
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

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The joint law around the middle (n0, k0) of the points: five of its six parameters change with that. */
function jointForm(points: readonly ScalingPoint[]): {
  form: Form<ScalingPoint>;
  lawOf(params: Vector): JointLaw;
  paramsOf(law: JointLaw): Vector;
} {
  const n0 = mean(points.map(({ n }) => Math.log(n)));
  const k0 = mean(points.map(({ k }) => Math.log(k)));
  return {
    form: {
      start: (all, irreducible) => {
        const reducible = mean(all.map(({ loss }) => Math.log(Math.max(loss - irreducible, loss * 1e-3))));
        return [reducible, -0.2, -0.2, 0, Math.log(irreducible), -0.1];
      },
      value([a, bk, bn, g, z, e], { n, k }) {
        const [u, v] = [Math.log(n) - n0, Math.log(k) - k0];
        const { log, first, second } = logSum(a! + bk! * v + bn! * u + g! * u * v, z! + e! * v);
        return { log, derivatives: [first, first * v, first * u, first * u * v, second, second * v] };
      },
    },
    lawOf: ([a, bk, bn, g, z, e]) => ({
      alpha: a! - bk! * k0 - bn! * n0 + g! * n0 * k0,
      beta_k: bk! - g! * n0,
      beta_n: bn! - g! * k0,
      gamma: g!,
      zeta: z! - e! * k0,
      eta: e!,
    }),
    paramsOf: ({ alpha, beta_k, beta_n, gamma, zeta, eta }) => [
      alpha + beta_k * k0 + beta_n * n0 + gamma * n0 * k0,
      beta_k + gamma * n0,
      beta_n + gamma * k0,
      gamma,
      zeta + eta * k0,
      eta,
    ],
  };
}

/** The loss that a joint law gives. */
export function jointLoss({ alpha, beta_k, beta_n, gamma, zeta, eta }: JointLaw, n: number, k: number): number {
  const [u, v] = [Math.log(n), Math.log(k)];
  return Math.exp(alpha + beta_k * v + beta_n * u + gamma * u * v) + Math.exp(zeta + eta * v);
}

const countOf = (values: readonly number[]) => new Set(values).size;

/** Why a joint law cannot be fitted; undefined where it can: six parameters need three widths, three k and seven cells. */
export function whyNoJointLaw(points: readonly ScalingPoint[]): string | undefined {
  const [widths, ks] = [countOf(points.map(({ n }) => n)), countOf(points.map(({ k }) => k))];
  const cells = new Set(points.map(({ n, k }) => `${n} ${k}`)).size;
  if (widths < 3 || ks < 3 || cells < 7)
    return `expected at least 3 widths, 3 sparsities and 7 of their combinations; found ${widths}, ${ks} and ${cells}`;
  return points.every(({ loss }) => loss > 0) ? undefined : 'expected losses over 0';
}

/**
 * @param near A law to begin the search at; several starts are tried without one.
 * @throws RangeError where {@link whyNoJointLaw} has a reason.
 */
export function fitJointLaw(points: readonly ScalingPoint[], near?: JointLaw): Fitted<JointLaw> {
  const reason = whyNoJointLaw(points);
  if (reason !== undefined) throw new RangeError(`joint scaling law: ${reason}`);
  const { form, lawOf, paramsOf } = jointForm(points);
  const { params, residual } = fitForm(form, points, near && paramsOf(near));
  return { law: lawOf(params), residual };
}

/** One training of a certain compute, in any unit. */
export interface ComputePoint {
  compute: number;
  loss: number;
}

/** The loss that a law of compute gives. */
export const computeLoss = ({ irreducible, scale, exponent }: ComputeLaw, compute: number): number =>
  irreducible + scale * compute ** exponent;

/**
 * @param near A law to begin the search at; several starts are tried without one.
 * @throws RangeError for fewer than four computes, or losses that are not over 0.
 */
export function fitComputeLaw(points: readonly ComputePoint[], near?: ComputeLaw): Fitted<ComputeLaw> {
  const computes = countOf(points.map(({ compute }) => compute));
  if (computes < 4 || points.some(({ loss, compute }) => !(loss > 0 && compute > 0)))
    throw new RangeError(`scaling law of compute: expected at least 4 computes and losses over 0; found ${computes}`);
  const c0 = mean(points.map(({ compute }) => Math.log(compute)));
  const form: Form<ComputePoint> = {
    start: (all, irreducible) => [
      Math.log(irreducible),
      mean(all.map(({ loss }) => Math.log(Math.max(loss - irreducible, loss * 1e-3)))),
      -0.1,
    ],
    value([irreducible, scale, exponent], { compute }) {
      const v = Math.log(compute) - c0;
      const { log, first, second } = logSum(irreducible!, scale! + exponent! * v);
      return { log, derivatives: [first, second, second * v] };
    },
  };
  const started = near && [Math.log(near.irreducible), Math.log(near.scale) + near.exponent * c0, near.exponent];
  const { params, residual } = fitForm(form, points, started);
  const [irreducible, scale, exponent] = params as [number, number, number];
  return { law: { irreducible: Math.exp(irreducible), scale: Math.exp(scale - exponent * c0), exponent }, residual };
}

/** Those of the least loss for their compute: no other has as little of both. Sorted by compute. */
export function computeFrontier<P extends ComputePoint>(points: readonly P[]): P[] {
  const sorted = [...points].sort((a, b) => a.compute - b.compute || a.loss - b.loss);
  let least = Infinity;
  return sorted.filter(({ loss }) => {
    if (loss >= least) return false;
    least = loss;
    return true;
  });
}

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

/** How well a law that never saw the largest width gives its losses. */
export interface HeldOutWidth {
  n: number;
  /** Mean over k of |predicted − observed| / observed. */
  error: number;
  /** Of the guess that the largest width does as well as the next one: what a law has to beat. */
  unchanged: number;
}

/** Undefined where the other widths are too few for a law. Losses of one cell are averaged. */
export function heldOutWidth(points: readonly ScalingPoint[]): HeldOutWidth | undefined {
  const largest = Math.max(...points.map(({ n }) => n));
  const known = points.filter(({ n }) => n < largest);
  if (whyNoJointLaw(known) !== undefined) return undefined;
  const { law } = fitJointLaw(known);
  const next = Math.max(...known.map(({ n }) => n));
  const lossAt = (width: number, sparsity: number) => {
    const own = points.filter(({ n, k }) => n === width && k === sparsity).map(({ loss }) => loss);
    return own.length > 0 ? mean(own) : undefined;
  };
  const errors: [number, number][] = [];
  for (const k of new Set(points.filter(({ n }) => n === largest).map((point) => point.k))) {
    const [observed, before] = [lossAt(largest, k)!, lossAt(next, k)];
    if (before === undefined) continue;
    errors.push([Math.abs(jointLoss(law, largest, k) / observed - 1), Math.abs(before / observed - 1)]);
  }
  if (errors.length === 0) return undefined;
  return { n: largest, error: mean(errors.map(([own]) => own)), unchanged: mean(errors.map(([, guess]) => guess)) };
}
