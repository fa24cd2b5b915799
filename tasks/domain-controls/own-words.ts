/** @file The words that name a concept, and texts without them: what is left of a detector that cannot read the name? */
import type { Concept, Item } from '../../harness/contract.ts';

/** A shorter word of a name ("and", "of", "80") is in every text. */
const LEAST_LETTERS = 4;
/** Of a word, what stays of it in its other forms: failure, failures; retrospective, retrospectively. */
const ENDINGS = /(?:ations?|ions?|ives?|als?|ies|ing|ed|es|s|y|e)$/u;
/** Letters that may stand in place of the ending. */
const MOST_ENDING = 5;
/** Words of names that say nothing of the concept by themselves. */
const GENERAL = new Set(['with', 'from', 'over', 'other', 'than', 'into', 'under', 'after', 'before', 'without']);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The stem of a word, never shorter than four letters. */
function stemOf(word: string): string {
  const stem = word.replace(ENDINGS, '');
  return stem.length >= LEAST_LETTERS ? stem : word;
}

/**
 * What a concept's own words look like: each name as it is written, whatever its white space and with a plural s; then each word of
 * at least four letters of its names by its stem, with up to five letters of another ending.
 */
export function ownWords({ label, synonyms = [] }: Concept): RegExp | undefined {
  const names = [label, ...synonyms].map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
  const phrases = names.map((name) => `${name.split(/\s+/).map(escaped).join('\\s+')}(?:e?s)?`);
  const words = names
    .flatMap((name) => name.match(/\p{L}+/gu) ?? [])
    .filter((word) => word.length >= LEAST_LETTERS && !GENERAL.has(word))
    .map((word) => `${stemOf(word)}\\p{L}{0,${MOST_ENDING}}`);
  // Longer ones first, so that a name goes whole.
  const all = [...new Set([...phrases, ...words])].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  return all.length === 0
    ? undefined
    : new RegExp(`(?<![\\p{L}\\p{N}])(?:${all.join('|')})(?![\\p{L}\\p{N}])\\s*`, 'giu');
}

/** The item without the words in its response, and how many places were taken out. A mark in their place would tell where they were. */
export function withoutWords(item: Item, words: RegExp): { text: string; removed: number } {
  const { text = '', responseStart = 0 } = item;
  let removed = 0;
  const response = text.slice(responseStart).replace(words, () => {
    removed += 1;
    return '';
  });
  return { text: text.slice(0, responseStart) + response, removed };
}
