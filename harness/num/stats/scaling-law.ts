/**
 * @file The scaling law of SAEs over the number of latents n and of active latents k (Gao et al. 2024, arXiv:2406.04093,
 * section 3), and its error on a width that was held out.
 */
import { type HeldOut, heldOut } from './held-out.ts';
import { type Fitted, fitLaw, fitReducible, type LawForm, logSum, mean } from './law-form.ts';

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

/** The joint law around the middle (n0, k0) of the points: five of its six parameters change with that. */
export function jointForm(points: readonly ScalingPoint[]): LawForm<ScalingPoint, JointLaw> {
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

function requireLaw(points: readonly ScalingPoint[]): void {
  const reason = whyNoJointLaw(points);
  if (reason !== undefined) throw new RangeError(`joint scaling law: ${reason}`);
}

/**
 * @param near A law to begin the search at; several starts are tried without one.
 * @throws RangeError where {@link whyNoJointLaw} has a reason.
 */
export function fitJointLaw(points: readonly ScalingPoint[], near?: JointLaw): Fitted<JointLaw> {
  requireLaw(points);
  return fitLaw(jointForm(points), points, near);
}

/**
 * The joint law without its irreducible loss (zeta is −∞; eta means nothing): what is left to say of trainings that show none.
 *
 * @throws RangeError where {@link whyNoJointLaw} has a reason.
 */
export function fitReducibleLaw(points: readonly ScalingPoint[]): Fitted<JointLaw> {
  requireLaw(points);
  return fitReducible(jointForm(points), points);
}

/**
 * How well a law that never saw the largest width gives its losses; undefined where the other widths are too few for a law.
 *
 * @param fit The joint law, or the one without its irreducible loss.
 */
export function heldOutWidth(
  points: readonly ScalingPoint[],
  fit: (points: ScalingPoint[]) => Fitted<JointLaw> = fitJointLaw,
): HeldOut | undefined {
  return heldOut(points, {
    sizeOf: ({ n }) => n,
    cellOf: ({ k }) => String(k),
    whyNoLaw: whyNoJointLaw,
    fit,
    lossOf: (law, { n, k }) => jointLoss(law, n, k),
  });
}
