/** @file The smallest change that a t test finds with a given power, also where its error is known from few values. */
import { distanceAt } from './error-parts.ts';
import { normalCdf } from './normal.ts';
import type { ErrorPart } from './paired.ts';

const POWER = 0.8;
/** Points of the integral over the estimated spread, and how many of its standard deviations it reaches to each side. */
const POINTS = 240;
const REACH = 8;
/** Halvings of an interval: to 1e-9 of it. */
const HALVINGS = 30;

/**
 * How an estimated standard deviation with `df` degrees of freedom lies about the true one: values of s ÷ σ = √(χ² ÷ df) at
 * equal steps, with their probabilities.
 */
function spreadOfSpread(df: number): { ratios: number[]; weights: number[] } {
  const width = REACH / Math.sqrt(2 * df);
  const low = Math.max(0, 1 - width);
  const ratios = Array.from({ length: POINTS }, (_, i) => low + ((i + 0.5) / POINTS) * (1 + width - low));
  // The density of χ, but for its constant.
  const logs = ratios.map((y) => (df - 1) * Math.log(y) - (df * y * y) / 2);
  const largest = Math.max(...logs);
  const densities = logs.map((log) => Math.exp(log - largest));
  const total = densities.reduce((sum, density) => sum + density, 0);
  return { ratios, weights: densities.map((density) => density / total) };
}

/** The s ÷ σ that is passed half of the time. */
function middleOf({ ratios, weights }: { ratios: readonly number[]; weights: readonly number[] }): number {
  let below = 0;
  const at = weights.findIndex((weight) => {
    below += weight;
    return below >= 0.5;
  });
  return ratios[at]!;
}

/**
 * The true change that a one-sided test at level `tail` finds with a power of 80 %: of the noncentral t distribution, since the
 * next test estimates its error anew. The error is itself an estimate, which is too small more often than not: it is taken at
 * its median, so that what is given is too small as often as too large.
 *
 * @param parts What the error of a difference is made of.
 * @param tail In (0, 0.5): the level of a one-sided test, half of it of a two-sided one, divided by the number of tests.
 */
export function detectableChange(parts: readonly ErrorPart[], tail: number): number {
  const total = parts.reduce((sum, { variance }) => sum + variance, 0);
  const se = Math.sqrt(total);
  const t = distanceAt(parts, tail) / se;
  // As if all of it were known as little as its least known part: the power is then at least that.
  const spread = spreadOfSpread(Math.min(...parts.map(({ df }) => df)));
  const powerOf = (distance: number) =>
    spread.ratios.reduce((sum, y, i) => sum + spread.weights[i]! * normalCdf(distance - t * y), 0);
  let [low, high] = [0, t];
  while (powerOf(high) < POWER) [low, high] = [high, 2 * high];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (powerOf(middle) < POWER) low = middle;
    else high = middle;
  }
  return (high * se) / middleOf(spread);
}
