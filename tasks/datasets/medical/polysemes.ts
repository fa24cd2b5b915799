/** @file Clinical words with another sense outside of medicine: the clinical sense is the concept, the other one a hard negative. */
import type { Concept, Item } from '../../../harness/contract.ts';
import { type ConditionAbstract, useOfAbstract } from './abstracts.ts';
import { type MedicalSet, type MedicalText, splitOf } from './labelled.ts';

/** A word in its forms, and uses in abstracts that are not the clinical sense. */
interface Polyseme {
  word: string;
  sense: string;
  forms: RegExp;
  not?: RegExp;
  /** Uses in general texts that are no use of the word at all. */
  unlike?: RegExp;
}

const POLYSEMES: readonly Polyseme[] = [
  {
    word: 'discharge',
    sense: 'leaving hospital, or what a wound or nerve gives off',
    forms: /\bdischarg(?:e|es|ed|ing)\b/i,
  },
  { word: 'failure', sense: 'an organ or a treatment that fails', forms: /\bfailures?\b/i },
  { word: 'block', sense: 'a heart or nerve block', forms: /\bblock(?:s|ed|ing|ade)?\b/i },
  { word: 'pressure', sense: 'a pressure within the body', forms: /\bpressures?\b/i },
  { word: 'shock', sense: 'circulatory shock, or a shock of a defibrillator', forms: /\bshocks?\b/i },
  {
    word: 'mass',
    sense: 'a lump, or the muscle of the heart',
    forms: /\bmass(?:es)?\b/i,
    not: /body[- ]mass|mass spectro/i,
    // The state.
    unlike: /\bMass\./,
  },
];

/** A general text with one of these may use the word in its clinical sense, and is left out. */
const CLINICAL =
  /\b(?:hospital|patients?|doctors?|nurses?|clinic\w*|medic\w*|diseases?|heart|cardiac|kidneys?|liver|lungs?|brain|blood|surg\w+|cancer\w*|tumou?rs?|symptoms?|drugs?|injur\w+|wound\w*|health|treat\w+|therap\w+|died|illness|nerves?|nervous)\b/i;

/** Sentences of fewer or more words are headings and lists. */
const [LEAST_WORDS, MOST_WORDS] = [8, 60];

/** WikiText parts punctuation and numbers by marks of its own, and hides rare words: sentences with a hidden one are left out. */
const written = (text: string): string =>
  text
    .replace(/ @([-,.])@ /g, '$1')
    .replace(/ ([.,;:!?)%]|'s\b|n't\b)/g, '$1')
    .replace(/([(]) /g, '$1')
    .replace(/\s+/g, ' ');

/** Sentences of a text that are neither headings nor lists. */
export function sentencesOf(text: string): string[] {
  return written(text)
    .split(/(?<=[.!?])["”']?\s+(?=[A-Z"“'(])/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => {
      const words = sentence.split(' ').length;
      return words >= LEAST_WORDS && words <= MOST_WORDS && !sentence.includes('<unk>') && !sentence.includes('=');
    });
}

/**
 * Each word in sentences of medical abstracts is the concept; held-out general sentences with the word and without a clinical
 * one are its hard negatives. Negatives are without the word, as many of abstracts as of general texts.
 */
export function polysemes(abstracts: readonly ConditionAbstract[], general: readonly string[]): MedicalSet {
  const idOf = (word: string) => `sense-${word}`;
  const concepts = POLYSEMES.map(
    ({ word, sense }): Concept => ({
      ...{ id: idOf(word), label: `${word}: ${sense}`, synonyms: [word], domain: 'senses' },
    }),
  );
  const seen = new Set<string>();
  const once = (sentence: string) => !seen.has(sentence) && seen.add(sentence);
  const clinical = abstracts
    .filter(({ text }) => useOfAbstract(text) === 'sentences')
    .flatMap(({ text, id }) =>
      sentencesOf(text)
        .filter(once)
        .map((sentence, i): MedicalText => {
          const shows = POLYSEMES.filter(({ forms, not }) => forms.test(sentence) && !not?.test(sentence));
          const unclear = POLYSEMES.filter(({ forms, not }) => forms.test(sentence) && not?.test(sentence));
          const shown = shows.map(({ word }) => idOf(word));
          const unknown = unclear.map(({ word }) => idOf(word));
          const item: Item = {
            id: `${id}-${i}`,
            text: sentence,
            concepts: shown,
            unknown,
            group: id,
            covariates: { source: 'abstracts' },
          };
          return { item, split: splitOf(text), shows: shown };
        }),
    );
  const other = general
    .flatMap((text) => sentencesOf(text))
    .filter((sentence) => !CLINICAL.test(sentence) && once(sentence))
    .map((sentence, i): MedicalText => {
      const hard = POLYSEMES.filter(({ forms, unlike }) => forms.test(sentence) && !unlike?.test(sentence)).map(
        ({ word }) => idOf(word),
      );
      const item: Item = { id: `general-${i}`, text: sentence, concepts: [], covariates: { source: 'general' } };
      // A sentence with such a word teaches nothing: hard negatives are held out.
      const use = hard.length > 0 ? ('eval' as const) : splitOf(sentence);
      return { item, split: use, shows: [], hard };
    });
  const plain = (texts: readonly MedicalText[]) =>
    texts.filter(({ shows, hard = [] }) => shows.length + hard.length === 0);
  const [ownPlain, otherPlain] = [plain(clinical), plain(other)];
  // Abstracts have far fewer sentences than news and Wikipedia.
  const even = Math.min(ownPlain.length, otherPlain.length);
  const used = new Set([...ownPlain.slice(0, even), ...otherPlain.slice(0, even)]);
  const told = [...clinical, ...other].filter((text) => !plain([text]).length || used.has(text));
  return { concepts, texts: told };
}
