/** @file Lists of tensor names for messages: what all blocks have is said once. */

/** A message names so many kinds of tensors; a longer list is a file of another kind of model. */
const MOST = 24;

/**
 * The names in one line; those that differ in the number of their block alone are one entry, `h.{0..11}.ln_1.weight`.
 *
 * @param detail What to say after an entry, by its first name.
 */
export function namesInShort(names: readonly string[], detail: (name: string) => string = () => ''): string {
  const kinds = new Map<string, { first: string; before: string; blocks: number[]; after: string }>();
  for (const name of names) {
    const [, before = name, block, after = ''] = /^(|.*?\.)(\d+)(\..*)$/.exec(name) ?? [];
    const kind = `${before}#${after}`;
    const found = kinds.get(kind) ?? { first: name, before, blocks: [], after };
    kinds.set(kind, { ...found, blocks: block === undefined ? [] : [...found.blocks, Number(block)] });
  }
  const entries = [...kinds.values()].map(({ first, before, blocks, after }) => {
    const short = blocks.length > 1 ? `${before}{${numbersInShort(blocks)}}${after}` : first;
    return short + detail(first);
  });
  const more = entries.length > MOST ? ` and ${entries.length - MOST} more` : '';
  return entries.slice(0, MOST).join(', ') + more;
}

/** `0..11`, or `0,2,5` where some are not there. */
function numbersInShort(numbers: number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  const whole = sorted.length > 2 && last - first === sorted.length - 1;
  return whole ? `${first}..${last}` : sorted.join(',');
}
