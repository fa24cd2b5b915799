/** @file A special token as tokenizer.json lists it. */

/** One entry of `added_tokens`: never split, never normalised. */
export const addedToken = (content: string, id: number | undefined): object => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});
