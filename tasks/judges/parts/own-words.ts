/** @file What a text says of its own: an echo of the prompt shows neither a concept nor that the prompt was followed. */

/**
 * Words in a row that are taken for a copy where the prompt has them in that order. Of 1,000 continuations of TinyStories'
 * beginnings four words cost 9 a grade of 0 in keeping to the topic, three 40.
 */
const COPY = 4;
/** Of a shorter prompt all of it is a copy; below this its words come by chance. */
const LEAST = 3;

/** The rule in a sentence, for results. */
export const ECHO_RULE = 'What a text copies from its prompt, four words or more in a row, counts for nothing.';

const words = (text: string) => [...text.matchAll(/[\p{L}\p{N}]+/gu)];

/**
 * The text without what it copies from the prompt: runs of four words or more (of a prompt of three: all of it) that stand in it in that
 * order, in any case of letters; a line break is left in their place.
 */
export function ownWords(text: string, prompt: string): string {
  const said = words(prompt).map(([word]) => word.toLowerCase());
  const length = Math.max(LEAST, Math.min(COPY, said.length));
  const runs = new Set<string>();
  for (let i = 0; i + length <= said.length; i++) runs.add(said.slice(i, i + length).join(' '));
  const found = words(text);
  const copied = found.map(() => false);
  for (let i = 0; i + length <= found.length; i++) {
    const run = found.slice(i, i + length).map(([word]) => word.toLowerCase());
    if (runs.has(run.join(' '))) copied.fill(true, i, i + length);
  }
  let own = '';
  let at = 0;
  found.forEach((word, i) => {
    if (!copied[i]) return;
    own += copied[i - 1] ? '' : `${text.slice(at, word.index)}\n`;
    at = word.index + word[0].length;
  });
  return own + text.slice(at);
}
