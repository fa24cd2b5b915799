/** @file Which latents belong to which attribute value, by the images of training, and which values they then say an image shows. */
import type { PooledLatents } from '../../harness/contract.ts';
import { bestCut, binaryMatchingPursuit, createCandidates, type RankedValues } from '../../harness/kit/index.ts';

/** When a latent counts as firing. */
export type Threshold = 'fires' | 'trained';

/** A latent (of signed codes, also a negated one) that speaks for a value where it is above `threshold`. */
export interface Matched {
  candidate: number;
  threshold: number;
}

/** The paper's recommendation: F_0.5, at most three latents. */
const PURSUIT = { size: 3, beta: 0.5 };

/** Of each candidate the images on which it is above 0, from the highest value down. */
export function rankedCandidates(pooled: PooledLatents): RankedValues[] {
  const { count, forEach } = createCandidates(pooled);
  const above = (visit: (candidate: number, item: number, value: number) => void) => {
    for (let item = 0; item < pooled.items; item++) {
      forEach(item, (candidate, value) => {
        if (value > 0) visit(candidate, item, value);
      });
    }
  };
  const ends = new Uint32Array(count + 1);
  above((candidate) => {
    ends[candidate + 1]!++;
  });
  for (let candidate = 0; candidate < count; candidate++) ends[candidate + 1]! += ends[candidate]!;
  const next = ends.slice();
  const [items, values] = [new Uint32Array(ends[count]!), new Float32Array(ends[count]!)];
  above((candidate, item, value) => {
    const at = next[candidate]!++;
    items[at] = item;
    values[at] = value;
  });
  return Array.from({ length: count }, (_, candidate) => {
    const order = Uint32Array.from({ length: ends[candidate + 1]! - ends[candidate]! }, (_, i) => ends[candidate]! + i);
    order.sort((a, b) => values[b]! - values[a]!);
    return { items: order.map((at) => items[at]!), values: Float32Array.from(order, (at) => values[at]!) };
  });
}

/**
 * Latents of one value.
 *
 * @param shown [images] 1 where the image shows the value
 */
export function matchValue(shown: Uint8Array, ranked: readonly RankedValues[], threshold: Threshold): Matched[] {
  const wanted = shown.reduce((sum, flag) => sum + flag, 0);
  const cuts = ranked.map((each) =>
    threshold === 'fires' ? { count: each.items.length, threshold: 0 } : bestCut(each, shown, wanted, PURSUIT.beta),
  );
  const atoms = ranked.map(({ items }, candidate) => ({ items: items.subarray(0, cuts[candidate]!.count) }));
  const { atoms: chosen } = binaryMatchingPursuit(shown, atoms, PURSUIT);
  return chosen.map((candidate) => ({ candidate, threshold: cuts[candidate]!.threshold }));
}

/** What tells whether the latents of a value, some of them left out, say that an image shows it. */
export type Speaks = (image: number, matched: readonly Matched[], without?: ReadonlySet<number>) => boolean;

/** The values that the candidates of `matched` have on the images of `pooled`. */
export function speaker(pooled: PooledLatents, matched: readonly (readonly Matched[])[]): Speaks {
  const used = [...new Set(matched.flat().map(({ candidate }) => candidate))];
  const place = new Map(used.map((candidate, at) => [candidate, at]));
  const values = new Float32Array(used.length * pooled.items);
  const candidates = createCandidates(pooled);
  for (let image = 0; image < pooled.items; image++) {
    candidates.forEach(image, (candidate, value) => {
      const at = place.get(candidate);
      if (at !== undefined) values[at * pooled.items + image] = value;
    });
  }
  return (image, latents, without) =>
    latents.some(
      ({ candidate, threshold }) =>
        !without?.has(candidate) && values[place.get(candidate)! * pooled.items + image]! > threshold,
    );
}
