/** @file A text as a prompt and what follows it: what judges are calibrated with. */
import type { Item } from '../../../harness/contract.ts';

/** Share of a text that stands for its prompt where no response is marked. */
const PROMPT_SHARE = 0.25;

/** White space between the two is the rest's. */
export function divided({ text = '', responseStart }: Pick<Item, 'text' | 'responseStart'>): {
  start: string;
  rest: string;
} {
  let at = responseStart ?? Math.floor(text.length * PROMPT_SHARE);
  if (responseStart === undefined) while (at < text.length && !/\s/.test(text[at]!)) at++;
  return { start: text.slice(0, at), rest: text.slice(at) };
}
