/**
 * @file Preference and utility of a model on a pair of texts, one with a concept and one without it, by their losses (Xu et
 * al. 2026, "SPLIT", arXiv:2602.02343). Losses are nats a token here, so that texts of any length compare.
 */

/** Version of these definitions, recorded with results. */
export const version = 1;

/** Losses of the two texts of a pair: mean −ln p of a token. */
export interface PairLosses {
  /** Of the text that has the concept. */
  positive: number;
  /** Of the text that lacks it. */
  negative: number;
}

/** ln of the odds of the concept: Lₙ − Lₚ, in nats a token; above 0 where the text with the concept is the likelier one. */
export function preferenceOdds({ positive, negative }: PairLosses): number {
  return negative - positive;
}

/**
 * ln of the odds that either text is said at all: ln[(e^−Lₚ + e^−Lₙ) ÷ (1 − e^−Lₚ − e^−Lₙ)]. Undefined where both losses are
 * so low (such as below ln 2) that the denominator is not above 0.
 */
export function utilityOdds({ positive, negative }: PairLosses): number | undefined {
  const said = Math.exp(-positive) + Math.exp(-negative);
  return said > 0 && said < 1 ? Math.log(said) - Math.log1p(-said) : undefined;
}
