/** @file How repetitive a text is: what of it was said before, word for word. */

/** Length of the runs of tokens that are compared. */
const RUN = 3;
/** Words of a sentence that nobody says twice by chance: of the text world's documents and of TinyStories at most one in 1,000 does. */
const SENTENCE = 4;
/** The share that a text has which says one thing twice. */
export const TWICE = 0.5;

/** Share of tokens that lie in a run of three said before, in [0, 1): half of a text that says one thing twice, whatever its length. */
export function repeatedShare(ids: readonly number[]): number {
  const seen = new Set<string>();
  let [repeated, counted] = [0, 0];
  for (let i = 0; i + RUN <= ids.length; i++) {
    const run = ids.slice(i, i + RUN).join();
    if (seen.has(run)) {
      // Of a run that overlaps the one before, only what is new.
      const from = Math.max(i, counted);
      repeated += i + RUN - from;
      counted = i + RUN;
    }
    seen.add(run);
  }
  return ids.length === 0 ? 0 : repeated / ids.length;
}

/** Whether a sentence of at least four words (up to a stop, a semicolon or the end of its line) is said again, in any case of letters. */
export function saysAgain(text: string): boolean {
  const seen = new Set<string>();
  for (const sentence of text.toLowerCase().split(/[.!?;\n]+/)) {
    const words = sentence.match(/[\p{L}\p{N}]+/gu) ?? [];
    const said = words.join(' ');
    if (words.length < SENTENCE) continue;
    if (seen.has(said)) return true;
    seen.add(said);
  }
  return false;
}

/** How repetitive a text is, in [0, 1]: the share of its tokens that were said before, and 1 where a whole sentence is said again. */
export function repetition(ids: readonly number[], text: string): number {
  return saysAgain(text) ? 1 : repeatedShare(ids);
}
