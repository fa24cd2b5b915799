/** @file The held-out items as raters may see them: texts in tokens, where the subject has a tokenizer, and images. */
import type { ActivationSet, Item } from '../contract/data.ts';
import type { Tokenizer } from '../contract/subject.ts';
import { UserError } from '../errors.ts';

/** A text by the rows of its activations. */
export interface TokenizedItem {
  /** What each shown token adds to the text, with the blanks before it. */
  pieces: string[];
  /** The row of each within the item; absent where the site has one row an item, or no tokenizer tells. */
  rows?: number[];
}

/** Words with the blanks before them. */
const wordsOf = (text: string): string[] => text.match(/\s*\S+/g) ?? [];

/** Tokens of the text that are rows of the item, those without characters left out. */
function tokensOf(text: string, ids: Int32Array, tokenizer: Tokenizer): TokenizedItem | undefined {
  const encoded = [true, false].map((addSpecialTokens) => tokenizer.encode(text, { addSpecialTokens }));
  const found = encoded.find((each) => ids.length <= each.ids.length && ids.every((id, i) => id === each.ids[i]));
  if (!found) return undefined;
  const [pieces, rows]: [string[], number[]] = [[], []];
  let end = 0;
  for (let row = 0; row < ids.length; row++) {
    const [start, stop] = found.offsets[row]!;
    if (stop <= Math.max(start, end)) continue;
    pieces.push(text.slice(end, stop));
    rows.push(row);
    end = stop;
  }
  return { pieces, rows };
}

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
    const known = tokenizer && ids.length > 1 && ids.every((id) => id >= 0);
    return (known ? tokensOf(text, ids, tokenizer) : undefined) ?? { pieces: wordsOf(text) };
  });
}
