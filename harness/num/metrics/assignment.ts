/** @file The one-to-one matching of rows with columns that has the greatest sum (linear assignment). */

/**
 * By shortest augmenting paths (Jonker & Volgenant 1987; Crouse 2016), in float64: exact for any finite scores [rows, cols],
 * row-major, at O(k² · max(rows, cols)) for k = min(rows, cols), which is how many pairs there are.
 *
 * @returns The column of each row, −1 where it has none.
 */
export function bestAssignment(scores: ArrayLike<number>, rows: number, cols: number): Int32Array {
  if (scores.length !== rows * cols) throw new RangeError(`${scores.length} scores are not [${rows}, ${cols}]`);
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isFinite(scores[i])) throw new RangeError(`assignment: score ${i} is ${scores[i]}`);
  }
  const columnOf = new Int32Array(rows).fill(-1);
  if (rows <= cols) {
    const rowOf = assignAll((row, col) => -scores[row * cols + col]!, rows, cols);
    for (let col = 0; col < cols; col++) if (rowOf[col]! >= 0) columnOf[rowOf[col]!] = col;
    return columnOf;
  }
  columnOf.set(assignAll((col, row) => -scores[row * cols + col]!, cols, rows));
  return columnOf;
}

/** Gives each of `n` its own of `m` >= n at the least total cost. @returns Which of the n each of the m has, or −1. */
function assignAll(cost: (i: number, j: number) => number, n: number, m: number): Int32Array {
  const u = new Float64Array(n);
  const v = new Float64Array(m);
  const ownerOf = new Int32Array(m).fill(-1);
  /** The i from which each j is reached on the shortest path. */
  const reachedFrom = new Int32Array(m);
  const distance = new Float64Array(m);
  const open = new Int32Array(m);
  const closed = new Int32Array(m);
  const ownedBy = new Int32Array(n).fill(-1);
  for (let first = 0; first < n; first++) {
    distance.fill(Infinity);
    for (let j = 0; j < m; j++) open[j] = j;
    let [opened, done] = [m, 0];
    let [i, least, end] = [first, 0, -1];
    while (end < 0) {
      let [nearest, at] = [Infinity, -1];
      for (let place = 0; place < opened; place++) {
        const j = open[place]!;
        const through = least + cost(i, j) - u[i]! - v[j]!;
        if (through < distance[j]!) {
          distance[j] = through;
          reachedFrom[j] = i;
        }
        // Of equal ones a free one ends the path.
        if (distance[j]! < nearest || (distance[j] === nearest && ownerOf[j] === -1)) {
          nearest = distance[j]!;
          at = place;
        }
      }
      least = nearest;
      const j = open[at]!;
      open[at] = open[--opened]!;
      closed[done++] = j;
      if (ownerOf[j] === -1) end = j;
      else i = ownerOf[j]!;
    }
    u[first]! += least;
    for (let place = 0; place < done; place++) {
      const j = closed[place]!;
      if (ownerOf[j]! >= 0) u[ownerOf[j]!]! += least - distance[j]!;
      v[j]! -= least - distance[j]!;
    }
    for (let j = end; ; ) {
      const owner = reachedFrom[j]!;
      ownerOf[j] = owner;
      const next = ownedBy[owner]!;
      ownedBy[owner] = j;
      if (owner === first) break;
      j = next;
    }
  }
  return ownerOf;
}
