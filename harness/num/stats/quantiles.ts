/** @file Quantiles by linear interpolation (type 7 of Hyndman & Fan 1996: the default of R and numpy). */

/** The quantiles at each `p` in [0, 1]; null for all when there are no values. Values must not be NaN. */
export function quantiles(values: ArrayLike<number>, ps: readonly number[]): (number | null)[] {
  const sorted = Float64Array.from(values).sort();
  return ps.map((p) => (sorted.length === 0 ? null : sortedQuantile(sorted, p)));
}

/** One quantile; null when there are no values. */
export function quantile(values: ArrayLike<number>, p: number): number | null {
  return quantiles(values, [p])[0]!;
}

/** As {@link quantile}, without sorting all of many values, of which there is at least one. */
export function quantileOfMany(values: Float32Array, p: number): number {
  const numbers = values.slice();
  const position = (numbers.length - 1) * p;
  partition(numbers, Math.floor(position));
  // The next one is the smallest of those behind.
  const above = numbers.subarray(Math.floor(position) + 1);
  const pair = [numbers[Math.floor(position)]!, above.reduce((least, value) => Math.min(least, value), Infinity)];
  return above.length === 0 ? pair[0]! : pair[0]! + (position - Math.floor(position)) * (pair[1]! - pair[0]!);
}

/** Puts at `place` what sorting would, nothing larger before it and nothing smaller behind (Hoare 1961). */
function partition(numbers: Float32Array, place: number): void {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const pivot = numbers[(low + high) >> 1]!;
    let [i, j] = [low, high];
    while (i <= j) {
      while (numbers[i]! < pivot) i++;
      while (numbers[j]! > pivot) j--;
      if (i > j) break;
      const swapped = numbers[i]!;
      numbers[i++] = numbers[j]!;
      numbers[j--] = swapped;
    }
    if (place <= j) high = j;
    else if (place >= i) low = i;
    else return;
  }
}

/** The quantile of values that are sorted ascending and not empty. */
function sortedQuantile(sorted: ArrayLike<number>, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`quantile: p must be in [0, 1], got ${p}`);
  const position = (sorted.length - 1) * p;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (position - below) * (high - low);
}
