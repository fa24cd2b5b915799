/** @file How much of a dimension each feature has to itself (Elhage et al. 2022, Toy Models of Superposition). */

/** Below this length a feature is not represented: its direction is rounding. */
const ABSENT = 1e-3;

/**
 * Dimensionality Dᵢ = ‖Wᵢ‖² ÷ Σⱼ (Ŵᵢ·Wⱼ)² of each row Wᵢ of `rows` [n, d], where Ŵᵢ is the row at unit length: 1 for a
 * direction of its own, ½ for each of an antipodal pair, 2/n of a regular n-gon in a plane; 0 where a row is no longer than 0.001.
 */
export function featureDimensionality(rows: ArrayLike<number>, d: number): Float64Array {
  const n = rows.length / d;
  if (!Number.isInteger(n)) throw new RangeError(`${rows.length} values are not rows of ${d}`);
  const dot = (i: number, j: number) => {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += rows[i * d + k]! * rows[j * d + k]!;
    return sum;
  };
  return Float64Array.from({ length: n }, (_, i) => {
    const square = dot(i, i);
    if (square <= ABSENT ** 2) return 0;
    let shared = 0;
    for (let j = 0; j < n; j++) shared += dot(i, j) ** 2;
    return square ** 2 / shared;
  });
}
