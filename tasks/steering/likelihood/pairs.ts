/** @file Pairs of held-out texts with and without a concept: alike in length, in two halves that share no text. */
import type { ConceptSet, LabelledActivations, LanguageModel, TextPairing } from '../../../harness/contract.ts';
import { sha256Json } from '../../../harness/kit/index.ts';
import { cutTo, type StoredText, storedText, tokensOf } from './texts.ts';

export interface TextPair {
  /** With the concept. */
  positive: StoredText;
  negative: StoredText;
}

/** The first chooses the factor, the second reports. */
export interface PairHalves {
  selection: TextPair[];
  reporting: TextPair[];
}

export interface PairOptions {
  /** Pairs of a concept at most, of both halves. */
  pairs: number;
  /** Scored tokens of a text at most. */
  tokens: number;
}

type Half = keyof PairHalves;

/**
 * Pairs of the concepts at the given places. Each text is in one half for all concepts, so that none that chose a factor
 * reports another's, and the halves are random ones; within a concept no text is used twice. Items of the same words are one
 * text. The texts of a pair are cut to the same number of scored tokens.
 */
export function textPairs(
  subject: Pick<LanguageModel, 'tokenizer'>,
  { set, activations }: Pick<LabelledActivations, 'set' | 'activations'>,
  pairing: TextPairing | undefined,
  concepts: readonly number[],
  { pairs, tokens }: PairOptions,
): PairHalves[] {
  const halfOf = halves();
  const hashes = new Map<number, string>();
  const texts = new Map<string, StoredText | undefined>();
  // AxBench's tables hold some responses twice, as negatives of two concepts.
  const textOf = (place: number): [string, StoredText][] => {
    const item = set.items[place]!;
    const hash = hashes.get(place) ?? sha256Json({ text: item.text, responseStart: item.responseStart });
    hashes.set(place, hash);
    if (!texts.has(hash)) texts.set(hash, storedText(subject, activations, place, item));
    const text = texts.get(hash);
    return text ? [[hash, cutTo(text, tokens)]] : [];
  };
  // By their hashes, which is at random: sets list examples by kind, or two kinds in turn, and the halves would differ.
  const known = (items: readonly number[]): StoredText[] =>
    [...new Map(items.flatMap(textOf))].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  return concepts.map((concept) => {
    const positives = known(heldOut(set, concept, 'positive'));
    const shown = new Set(positives.map(({ item }) => item));
    const others = known(pairing?.partners?.(set, concept) ?? heldOut(set, concept, 'negative'));
    const partners = others.filter(({ item }) => !shown.has(item));
    const [own, without] = [positives, partners].map((list) => halfOf(list));
    const paired = (half: Half, most: number) => matched(own![half].slice(0, most), without![half]);
    return {
      selection: paired('selection', Math.ceil(pairs / 2)),
      reporting: paired('reporting', Math.floor(pairs / 2)),
    };
  });
}

/** Items of a concept's held-out examples of one role, each once. */
function heldOut(set: ConceptSet, concept: number, role: 'positive' | 'negative'): number[] {
  const own = set.examples.filter((each) => each.concept === concept && each.split === 'eval' && each.role === role);
  return [...new Set(own.map(({ item }) => item))];
}

/** Divides lists of texts, in their order, into halves of about equal size; a text of several lists is in the same half of all. */
function halves(): (texts: readonly StoredText[]) => Record<Half, StoredText[]> {
  const assigned = new Map<number, Half>();
  return (texts) => {
    const parts: Record<Half, StoredText[]> = { selection: [], reporting: [] };
    for (const text of texts) {
      const half = assigned.get(text.item);
      if (half) parts[half].push(text);
    }
    for (const text of texts) {
      if (assigned.has(text.item)) continue;
      const half = parts.selection.length <= parts.reporting.length ? 'selection' : 'reporting';
      assigned.set(text.item, half);
      parts[half].push(text);
    }
    return parts;
  };
}

/** Each positive, the longest first, with the partner that is left and closest to it in length, both cut to the shorter. */
function matched(positives: readonly StoredText[], partners: readonly StoredText[]): TextPair[] {
  const left = [...partners];
  const found = new Map<StoredText, TextPair>();
  for (const positive of [...positives].sort((a, b) => tokensOf(b) - tokensOf(a))) {
    const gaps = left.map((partner) => Math.abs(tokensOf(partner) - tokensOf(positive)));
    const [negative] = left.splice(gaps.indexOf(Math.min(...gaps)), 1);
    if (!negative) break;
    const tokens = Math.min(tokensOf(positive), tokensOf(negative));
    found.set(positive, { positive: cutTo(positive, tokens), negative: cutTo(negative, tokens) });
  }
  return positives.flatMap((positive) => found.get(positive) ?? []);
}
