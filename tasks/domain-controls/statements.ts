/** @file Sentences that affirm a finding, deny it, or tell it of the family: put into texts of the domain that do not show it. */
import type { Concept, Item, Rng } from '../../harness/contract.ts';

export const STATEMENTS = {
  affirmed: ['There was evidence of #.', 'The findings were consistent with #.', 'The patient was found to have #.'],
  negated: [
    'There was no evidence of #.',
    'The findings were not consistent with #.',
    'The patient was found not to have #.',
  ],
  family: [
    'There was a family history of #.',
    "The patient's mother was found to have #.",
    'A brother of the patient had #.',
  ],
} as const;

export type Statement = keyof typeof STATEMENTS;

/** How a text names a concept: its first synonym, which texts use, else its label. */
export const nameOf = ({ label, synonyms = [] }: Concept): string => (synonyms[0] ?? label).toLowerCase();

/**
 * The item with one sentence about the concept between two of its own, or after its only one. The same place and the sentence of the
 * same number for every kind of statement, so that nothing but the statement differs.
 */
export function withStatement(item: Item, name: string, kind: Statement, rng: Rng): string {
  const { text = '', responseStart = 0 } = item;
  const place = rng.fork('place');
  const sentence = rng.fork('sentence').choice(STATEMENTS[kind].map((_, i) => i));
  const said = STATEMENTS[kind][sentence]!.replace('#', name);
  const ends = [...text.matchAll(/[.!?]\s+/g)].map(({ 0: end, index }) => index + end.length);
  const places = ends.filter((at) => at > responseStart && at < text.length);
  if (places.length === 0) return `${text.trimEnd()} ${said}`;
  const at = place.choice(places);
  return `${text.slice(0, at)}${said} ${text.slice(at)}`;
}
