/** @file Passages of a document: what fits into a model's context, whole sentences where they do. */

/** A shorter passage is a heading or what was left over. */
const LEAST_WORDS = 8;

/**
 * A document in passages of at most `most` words, ended at a sentence's end where a passage of at least half of that does
 * so, else after `most` words. Passages of fewer than eight words are left out.
 */
export function passagesOf(document: string, most: number): string[] {
  const words = document.split(/\s+/).filter((word) => word !== '');
  const passages: string[] = [];
  for (let start = 0; start < words.length; ) {
    const end = endOf(words, start, Math.min(words.length, start + most));
    if (end - start >= LEAST_WORDS) passages.push(words.slice(start, end).join(' '));
    start = end;
  }
  return passages;
}

function endOf(words: readonly string[], start: number, last: number): number {
  if (last === words.length) return last;
  const half = start + Math.ceil((last - start) / 2);
  for (let end = last; end >= half; end--) if (/[.!?]["'”’)]*$/.test(words[end - 1]!)) return end;
  return last;
}
