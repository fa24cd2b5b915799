/** @file The frame of a document: instruction line, number and order of clauses, what joins them, capitals. */
import type { Node } from './grammar.ts';
import { choice, text, zipf } from './grammar.ts';

/** Ways to ask about a topic: text before and after its name. The first words tell which. */
const instructionFrames: readonly (readonly [string, string])[] = [
  ['Write about ', '.'],
  ['Tell me about ', '.'],
  ['Describe ', '.'],
  ['What do you know about ', '?'],
  ['Explain ', ' to a friend.'],
  ['Give me facts about ', '.'],
];

/** Probability of 3, 4 and 5 clauses in a response. The first is on the topic. */
export const clauseCounts: readonly { readonly count: number; readonly prob: number }[] = [
  { count: 3, prob: 0.45 },
  { count: 4, prob: 0.4 },
  { count: 5, prob: 0.15 },
];

/** What a clause after the first is on; the three sum to 1. */
export interface ClauseOdds {
  readonly topic: number;
  /** The document's theme. */
  readonly theme: number;
  /** Any other concept, all alike: spoken of in passing. */
  readonly other: number;
}

/** The odds for each clause after the first. */
export const clauseOdds: ClauseOdds = { topic: 0.5, theme: 0.4, other: 0.1 };

/** What stands between two clauses. After '. ' the next clause has a capital. */
export const connector: Node = choice([text('. '), text(', and '), text('; ')], [0.6, 0.25, 0.15]);

/** What may open a clause. */
export const opener: Node = optional(0.5, [
  'also ',
  'in fact ',
  'perhaps ',
  'notice that ',
  'sometimes ',
  'it seems that ',
  'clearly ',
  'people say that ',
  'still, ',
  'now ',
]);

/** What may close a clause of any document: it says nothing on any topic or concept. */
export const closer: Node = optional(0.6, [
  ' as usual',
  ' of course',
  ' at last',
  ' after all',
  ' by chance',
  ' in the end',
  ' as expected',
  ' at first',
  ' once again',
  ' to our surprise',
  ' for once',
  ' without delay',
  ' as hoped',
  ' so far',
]);

function optional(absent: number, phrases: readonly string[]): Node {
  return choice([text(''), ...phrases.map(text)], [absent, ...zipf(phrases.length).map((p) => p * (1 - absent))]);
}

/** The grammar of the instruction line (without line break) for a topic with these names. */
export function instructionGrammar(names: readonly string[]): Node {
  const name = choice(names.map(text));
  return choice(
    instructionFrames.map(([before, after]) => ({ kind: 'seq', parts: [text(before), name, text(after)] })),
    zipf(instructionFrames.length),
  );
}

/** Positions in `text` that begin a sentence of the response: after the line break, and after each '. '. */
function sentenceStarts(full: string): number[] {
  const line = full.indexOf('\n');
  if (line < 0) return [];
  const starts = [line + 1];
  for (let at = full.indexOf('. ', line); at >= 0; at = full.indexOf('. ', at + 2)) starts.push(at + 2);
  return starts;
}

/** Gives the sentences of the response their capitals. */
export function addCapitals(plain: string): string {
  return recase(plain, (letter) => letter.toUpperCase());
}

/**
 * Undoes `addCapitals`, or null when a sentence of the response begins without a capital letter, which the generator
 * never writes.
 */
export function removeCapitals(full: string): string | null {
  if (sentenceStarts(full).some((at) => !/[A-Z]/.test(full[at] ?? ''))) return null;
  return lowerSentences(full);
}

/** Lowers the first letter of every sentence of the response, whether it is a capital or not. */
export function lowerSentences(full: string): string {
  return recase(full, (letter) => letter.toLowerCase());
}

function recase(full: string, change: (letter: string) => string): string {
  let done = '';
  let from = 0;
  for (const at of sentenceStarts(full)) {
    if (at >= full.length) continue;
    done += full.slice(from, at) + change(full[at]!);
    from = at + 1;
  }
  return done + full.slice(from);
}
