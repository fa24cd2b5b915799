/** @file How the matched latents answer a pair: what is lost, gained, and moved without cause. */
import type { Change } from './annotations.ts';
import type { Matched, Speaks } from './matching.ts';

/** What one pair gives. */
export interface PairResponse {
  /** Response of the latents of the added and of the removed value: −1, 0 or 1. */
  added: number;
  removed: number;
  /** Mean |response| over the values that both images show; null where there is none. */
  stay: number | null;
  /** F1 of the responses of all values against the change: the added one up, the removed one down, no other. */
  f1: number;
}

/** Answers of the latents of all values to each change; image 2p is the one before, 2p + 1 the one after. */
export function pairResponses(
  changes: readonly Change[],
  matched: readonly (readonly Matched[])[],
  speaks: Speaks,
): PairResponse[] {
  return changes.map(({ removed, added, kept }, pair) => {
    const response = (value: number, without?: ReadonlySet<number>) =>
      Number(speaks(2 * pair + 1, matched[value]!, without)) - Number(speaks(2 * pair, matched[value]!, without));
    const all = matched.map((_, value) => response(value));
    const right = Number(all[added] === 1) + Number(all[removed] === -1);
    const answered = all.filter((each) => each !== 0).length;
    const stays = kept.map((value) => Math.abs(all[value]!));
    const common = sharedLatents(matched[added]!, matched[removed]!);
    return {
      added: response(added, common),
      removed: response(removed, common),
      stay: stays.length === 0 ? null : stays.reduce((sum, each) => sum + each, 0) / stays.length,
      f1: (2 * right) / (2 + answered),
    };
  });
}

function sharedLatents(a: readonly Matched[], b: readonly Matched[]): Set<number> {
  const of = new Set(a.map(({ candidate }) => candidate));
  return new Set(b.map(({ candidate }) => candidate).filter((candidate) => of.has(candidate)));
}
