/** @file Many-to-one matching of latents to an attribute: the fully binary matching pursuit of Klotz et al. 2026. */
import { fBeta } from './threshold.ts';

/** Version of these definitions, recorded with results. */
export const version = 1;

/** A latent as an atom: it fires on the items `items[0]`, `items[1]`, … */
export interface BinaryAtom {
  items: ArrayLike<number>;
}

/** What was matched, in the order of choice. */
export interface Coalition {
  atoms: number[];
  /** F1 of "any of them fires" against the attribute; 0 of none. */
  f1: number;
}

/**
 * Fully-Binary Matching Pursuit (arXiv:2606.24716, algorithm 1). Each step takes the atom of highest F_β with the items of the
 * attribute that no chosen atom fires on yet (the first among equals), and stops where "any of them fires" has no higher
 * F1 with the attribute, or after `size` atoms.
 *
 * @param shown [items] 1 where the item shows the attribute, else 0
 */
export function binaryMatchingPursuit(
  shown: ArrayLike<number>,
  atoms: readonly BinaryAtom[],
  { size, beta }: { size: number; beta: number },
): Coalition {
  const residual = Uint8Array.from(shown);
  const covered = new Uint8Array(residual.length);
  const wanted = residual.reduce((sum, flag) => sum + flag, 0);
  const chosen: Coalition = { atoms: [], f1: 0 };
  for (let left = wanted, hits = 0, found = 0; chosen.atoms.length < size; ) {
    const best = mostAlike(residual, left, atoms, beta);
    if (best < 0) break;
    const { items } = atoms[best]!;
    for (let i = 0; i < items.length; i++) {
      const item = items[i]!;
      if (covered[item] === 0) {
        covered[item] = 1;
        found++;
        hits += shown[item]!;
      }
      left -= residual[item]!;
      residual[item] = 0;
    }
    const f1 = fBeta(hits, found, wanted, 1);
    if (f1 <= chosen.f1) break;
    chosen.atoms.push(best);
    chosen.f1 = f1;
  }
  return chosen;
}

/** The atom of highest F_β with the residual; −1 where none meets it. */
function mostAlike(residual: Uint8Array, left: number, atoms: readonly BinaryAtom[], beta: number): number {
  let [best, top] = [-1, 0];
  atoms.forEach(({ items }, atom) => {
    let hits = 0;
    for (let i = 0; i < items.length; i++) hits += residual[items[i]!]!;
    const score = fBeta(hits, items.length, left, beta);
    if (score > top) [best, top] = [atom, score];
  });
  return best;
}
