/** @file Curves of a value over a size: the value at a size between two points, and the points that none other beats. */

/** A value at a size over 0, with its interval where there is one. */
export interface SizedValue {
  x: number;
  y: number;
  ci95: [number, number] | null;
  /** The interval rests on few units. */
  few?: boolean;
}

/** A size that is aimed for is met by so much: this near to the outermost point, on either side, it is taken for that point's. */
export const NEAR = 0.02;

/**
 * The value at a size, linear in ln x between its neighbours. The ends of the interval go the same way, as if both
 * neighbours erred together: never too narrow for a mean of the two. Undefined outside of the points, but for 2 % of the
 * size: nothing is extrapolated.
 */
export function valueAt(points: readonly SizedValue[], x: number): Omit<SizedValue, 'x'> | undefined {
  const sorted = [...points].sort((a, b) => a.x - b.x);
  const outermost = [sorted[0], sorted.at(-1)].find((point) => point && Math.abs(x / point.x - 1) <= NEAR);
  if (outermost) return { y: outermost.y, ci95: outermost.ci95, ...(outermost.few ? { few: true } : {}) };
  const after = sorted.findIndex((point) => point.x >= x);
  const [low, high] = [sorted[after - 1], sorted[after]];
  if (!low || !high) return undefined;
  const part = Math.log(x / low.x) / Math.log(high.x / low.x);
  const between = (a: number, b: number) => a + part * (b - a);
  const ci95 = low.ci95 && high.ci95;
  return {
    y: between(low.y, high.y),
    ci95: ci95 ? [between(low.ci95![0], high.ci95![0]), between(low.ci95![1], high.ci95![1])] : null,
    ...(low.few || high.few ? { few: true } : {}),
  };
}

/**
 * The points that no other beats: none has as small an x with a better y. In the order given.
 *
 * @param near Sizes that differ by less than this part of them are one size.
 */
export function paretoFront<P extends { x: number; y: number }>(
  points: readonly P[],
  better: 'max' | 'min',
  near = 0,
): P[] {
  const sign = better === 'max' ? 1 : -1;
  const beats = (a: P, b: P) => {
    const gain = sign * (a.y - b.y);
    return (a.x * (1 + near) < b.x && gain >= 0) || (a.x <= b.x * (1 + near) && gain > 0);
  };
  return points.filter((point) => !points.some((other) => beats(other, point)));
}
