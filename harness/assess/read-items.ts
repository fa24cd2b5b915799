/** @file The held-out items as raters may see them: texts in tokens, where the subject has a tokenizer, and images. */
import type { ActivationSet, Item } from '../contract/data.ts';
import type { Tokenizer } from '../contract/subject.ts';
import { UserError } from '../errors.ts';
import { textPieces } from '../kit/latent-rows.ts';

/** A text by the rows of its activations. */
export interface TokenizedItem {
  /** What each shown token adds to the text, with the blanks before it. */
  pieces: string[];
  /** The row of each within the item; absent where the site has one row an item, or no tokenizer tells. */
  rows?: number[];
}

/** Words with the blanks before them. */
const wordsOf = (text: string): string[] => text.match(/\s*\S+/g) ?? [];

/**
 * Texts in pieces: tokens where there is a row for each, else words.
 *
 * @throws UserError for items without a text.
 */
export function tokenizedItems(
  items: readonly Item[],
  set: Pick<ActivationSet, 'bounds' | 'tokenIds'>,
  tokenizer: Tokenizer | undefined,
): TokenizedItem[] {
  return items.map((item, i) => {
    const text = item.text ?? item.caption;
    if (text === undefined) {
      throw new UserError(`assess: expected items with texts or images; found item '${item.id}' with neither.`);
    }
    const ids = set.tokenIds.subarray(set.bounds[i]!, set.bounds[i + 1]!);
    return (tokenizer && textPieces(text, ids, tokenizer)) ?? { pieces: wordsOf(text) };
  });
}
