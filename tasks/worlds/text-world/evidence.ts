/** @file Telling words: words and word pairs that only one concept or topic of the world ever uses. */
import { createRng } from '../../../harness/kit/index.ts';
import { closer, opener } from './document.ts';
import type { Node } from './grammar.ts';
import { sample } from './grammar.ts';
import type { ConceptSpec } from './lexicon/lexicon.ts';

/** Draws per concept from which its words are collected; enough to see each alternative of each slot. */
const DRAWS = 400;
/** Words too general to tell anything, whichever concept happens to use them alone. */
const GENERAL = new Set(
  (
    'about above after against alone among away back because before behind beside between both bright came case ' +
    'come despite drop during each ended ends every everyone everywhere fast finish first flies for found free ' +
    'from full gave gives good great grew hard have high home hour hours inside into just kept known large ' +
    'leaving left like likes little long lost made make month more much must near needed needs never next night ' +
    'normal once onto opened opening over overhead packed past perfect point quick right rising rose said says ' +
    'second seen shows side slow small soft some star stolen straight strong such sudden test than that their ' +
    'them then they through time took under until upon used value very wants was water went were what when while ' +
    'with within without words years young'
  ).split(' '),
);

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Words of a text in lower case; numbers, symbols and random letters all become '#'. */
function wordsOf(text: string): Word[] {
  return [...text.matchAll(/[^\s.,;!?]+/g)].map((m) => ({
    text: /^[A-Za-z][a-z-]*$|^[A-Z]+$/.test(m[0]) ? m[0].toLowerCase() : '#',
    start: m.index,
    end: m.index + m[0].length,
  }));
}

const tells = (word: string): boolean => word.length >= 4 && !GENERAL.has(word);

/** The single words and the pairs (`a b`, with one telling word at least) of a text, with their places. */
function features(text: string): { key: string; start: number; end: number }[] {
  const words = wordsOf(text);
  // A pair must be one stretch of words: no stop or comma between.
  const adjoin = (a: Word, b: Word): boolean => a.end + 1 === b.start;
  return words.flatMap((word, i) => {
    const next = words[i + 1];
    const found: { key: string; start: number; end: number }[] = [];
    if (tells(word.text)) found.push({ key: word.text, start: word.start, end: word.end });
    if (next && adjoin(word, next) && (tells(word.text) || tells(next.text))) {
      found.push({ key: `${word.text} ${next.text}`, start: word.start, end: next.end });
    }
    return found;
  });
}

/** A finder of telling words: id of the concept or topic to the places in the text. */
export function createEvidence(
  owners: readonly { readonly id: string; readonly clause: Node; readonly spec: Partial<ConceptSpec> }[],
): (text: string) => Map<string, { start: number; end: number }[]> {
  const ownerOf = new Map<string, string | null>();
  for (const frame of [opener, closer]) {
    for (const option of frame.kind === 'choice' ? frame.options : []) {
      if (option.kind === 'text') for (const { key } of features(option.text)) ownerOf.set(key, null);
    }
  }
  const rng = createRng('text-world evidence');
  for (const owner of owners) {
    const stream = rng.fork(owner.id);
    const { traits = [], asides = [] } = owner.spec;
    const drawn = new Set([...traits, ...asides]);
    for (let i = 0; i < DRAWS; i++) drawn.add(sample(owner.clause, stream).text);
    for (const text of drawn) {
      for (const { key } of features(text)) {
        const other = ownerOf.get(key);
        if (other === undefined) ownerOf.set(key, owner.id);
        else if (other !== owner.id) ownerOf.set(key, null);
      }
    }
  }
  return (text) => {
    const found = new Map<string, { start: number; end: number }[]>();
    for (const { key, start, end } of features(text)) {
      const owner = ownerOf.get(key);
      if (!owner) continue;
      const places = found.get(owner);
      if (places) places.push({ start, end });
      else found.set(owner, [{ start, end }]);
    }
    return found;
  };
}
