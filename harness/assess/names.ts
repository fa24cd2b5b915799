/** @file How far two names of a latent say the same: by the words that they share. */
import { NO_NAME } from './protocols.ts';

/** Words that say nothing of what is named. */
const STOP = new Set(
  'a an and any are as at by for from in into is it its of on or some something that the their them these things this to with about words word text texts image images'.split(
    ' ',
  ),
);

/** The words of a name: lower case, without accents, plural endings and words that say nothing; those alone where there are no others. */
export function nameWords(name: string): string[] {
  const plain = name.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const all = plain.match(/[\p{L}\p{N}]+/gu) ?? [];
  const telling = all.filter((word) => !STOP.has(word));
  const kept = telling.length > 0 ? telling : all;
  return [...new Set(kept.map((word) => (word.length > 3 ? word.replace(/(?<=[^s])s$/, '') : word)))].sort();
}

export const isNamed = (name: string): boolean => nameWords(name).join(' ') !== NO_NAME;

/** 1 less the share of words that both have, among those that either has (Jaccard); no name is far from every name. */
export function nameDistance(a: readonly string[], b: readonly string[]): number {
  const both = a.filter((word) => b.includes(word)).length;
  return 1 - both / (a.length + b.length - both);
}

/** Whether a name has a word of the label. */
export const nameFits = (words: readonly string[], label: string): boolean =>
  words.join(' ') !== NO_NAME && nameWords(label).some((word) => words.includes(word));
