/** @file Texts in groups of bounded size, for passes through a language model. */

/**
 * Groups of texts, in order, each within `tokens` tokens when padded; a text that is longer is alone.
 *
 * @param joins Whether a text may join a group that has room for it.
 */
export function groupTexts<T extends { length: number }>(
  texts: readonly T[],
  tokens: number,
  joins: (text: T, group: readonly T[]) => boolean = () => true,
): T[][] {
  const found: T[][] = [];
  let longest = 0;
  for (const text of texts) {
    const group = found.at(-1);
    longest = Math.max(longest, text.length);
    if (group && longest * (group.length + 1) <= tokens && joins(text, group)) group.push(text);
    else {
      found.push([text]);
      longest = text.length;
    }
  }
  return found;
}
