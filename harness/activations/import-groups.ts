/** @file Items that must stay together in every split: identical ones, those of one text, and those of one named group. */

export interface ImportGroups {
  /** Number of the first item with the same rows; the item's own where there is none before it. */
  firstOf: Uint32Array;
  /** Items of one unit share a number in [0, units): one of its items. */
  unitOf: Uint32Array;
  units: number;
  /** Items whose rows equal an earlier item's. */
  copies: number;
  /** Named groups. */
  groups: number;
}

/** For each item the first with its hash. Only hashes that repeat are held in a map. */
function firstWithHash(hashes: Float64Array): Uint32Array {
  const sorted = Float64Array.from(hashes).sort();
  const repeated = new Map<number, number>();
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) repeated.set(sorted[i]!, -1);
  return Uint32Array.from(hashes, (hash, item) => {
    const first = repeated.get(hash);
    if (first === -1) repeated.set(hash, item);
    return first === undefined || first === -1 ? item : first;
  });
}

/**
 * @param hashes A hash of each item's rows.
 * @param names Group of each item; null: none.
 * @param texts Text of each item. One text's rows may differ by rounding, where it was padded to another length.
 */
export function importGroups(
  hashes: Float64Array,
  names: readonly (string | null)[] = [],
  texts: readonly string[] = [],
): ImportGroups {
  const firstOf = firstWithHash(hashes);
  // Union of the relations: each item points to an earlier one of its unit, or to itself.
  const parent = Uint32Array.from(firstOf);
  const root = (item: number): number => {
    let at = item;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  const join = (labels: readonly (string | null)[]): number => {
    const firstOfGroup = new Map<string, number>();
    for (const [item, name] of labels.entries()) {
      if (name === null) continue;
      const other = firstOfGroup.get(name);
      if (other === undefined) firstOfGroup.set(name, item);
      else {
        const [a, b] = [root(other), root(item)];
        parent[Math.max(a, b)] = Math.min(a, b);
      }
    }
    return firstOfGroup.size;
  };
  const groups = join(names);
  join(texts);
  const unitOf = parent.map((_, item) => root(item));
  let [units, copies] = [0, 0];
  for (let item = 0; item < unitOf.length; item++) {
    if (unitOf[item] === item) units++;
    if (firstOf[item] !== item) copies++;
  }
  return { firstOf, unitOf, units, copies, groups };
}
