/** @file Learned positions of one grid of patches on another, as PyTorch's bicubic `interpolate` computes them. */

/** Keys' cubic kernel; `a` is −0.75 in PyTorch's plain form and −0.5 in its smoothed one, as in Pillow. */
function cubic(x: number, a: number): number {
  const t = Math.abs(x);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

/** Weights [to, from] with which each new place takes the old ones, along one axis (`align_corners=False`). */
function axisWeights(from: number, to: number, antialias: boolean): Float64Array {
  const weights = new Float64Array(to * from);
  const scale = from / to;
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    if (antialias) {
      const width = Math.max(1, scale);
      const [first, last] = [
        Math.max(0, Math.trunc(centre - 2 * width + 0.5)),
        Math.min(from, Math.trunc(centre + 2 * width + 0.5)),
      ];
      let sum = 0;
      for (let j = first; j < last; j++) sum += weights[i * from + j] = cubic((j - centre + 0.5) / width, -0.5);
      for (let j = first; j < last; j++) weights[i * from + j]! /= sum;
      continue;
    }
    const source = centre - 0.5;
    const base = Math.floor(source);
    for (let j = base - 1; j <= base + 2; j++) {
      const clamped = Math.min(from - 1, Math.max(0, j));
      weights[i * from + clamped]! += cubic(source - j, -0.75);
    }
  }
  return weights;
}

/**
 * Rows [to·to, d] of a square grid from those [from·from, d] of another.
 *
 * @param antialias Smooths where the new grid is coarser (`antialias=True`).
 */
export function interpolateGrid(
  rows: Float32Array,
  d: number,
  from: number,
  to: number,
  antialias: boolean,
): Float32Array {
  const weights = axisWeights(from, to, antialias);
  const along = (source: ArrayLike<number>, outer: number, inner: number): Float64Array => {
    const result = new Float64Array(outer * to * inner);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < to; i++) {
        for (let j = 0; j < from; j++) {
          const weight = weights[i * from + j]!;
          if (weight === 0) continue;
          for (let c = 0; c < inner; c++)
            result[(o * to + i) * inner + c]! += weight * source[(o * from + j) * inner + c]!;
        }
      }
    }
    return result;
  };
  const wide = along(rows, from, d);
  return Float32Array.from(along(wide, 1, to * d));
}
