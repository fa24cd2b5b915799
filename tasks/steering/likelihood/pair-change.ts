/** @file What steering does to pairs of texts. */
import { type PairLosses, preferenceOdds, utilityOdds } from '../../../harness/kit/index.ts';
import type { CleanPair } from './prepare.ts';

/** What steering did to pairs. */
export interface PairChange {
  /** Rise of PrefOdds, mean over pairs. */
  gain: number;
  /** Rise of UtilOdds, mean over the pairs that have it; undefined where none has. */
  utility: number | undefined;
  /** Pairs whose UtilOdds is undefined, steered or not. */
  undefinedPairs: number;
}

/** Of one factor on the selection half. */
export interface Tried extends PairChange {
  /** Rise of ln perplexity on held-out text, where that is the gate. */
  perplexity?: number;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** @param steered In the order of the pairs. */
export function pairChange(pairs: readonly CleanPair[], steered: readonly PairLosses[]): PairChange {
  const changes = utilityChanges(pairs, steered);
  return {
    gain: mean(pairs.map(({ clean }, i) => preferenceOdds(steered[i]!) - preferenceOdds(clean))),
    utility: changes.length > 0 ? mean(changes) : undefined,
    undefinedPairs: pairs.length - changes.length,
  };
}

/** Of the pairs that have UtilOdds, steered and not. */
export function utilityChanges(pairs: readonly CleanPair[], steered: readonly PairLosses[]): number[] {
  return pairs.flatMap(({ clean }, i) => {
    const [before, after] = [utilityOdds(clean), utilityOdds(steered[i]!)];
    return before === undefined || after === undefined ? [] : [after - before];
  });
}
