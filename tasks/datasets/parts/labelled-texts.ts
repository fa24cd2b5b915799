/** @file Labelled real texts as a concept set: one concept a class, negatives from the other classes. */
import {
  type Concept,
  type ConceptSet,
  type Item,
  type Rng,
  type Split,
  type TextPairing,
  UserError,
} from '../../../harness/contract.ts';
import { createRng } from '../../../harness/kit/index.ts';
import type { LabelledTexts } from '../../judges/parts/bag-of-words.ts';
import { conceptSetBuilder } from './concept-set-builder.ts';
import { type Shares, useOf } from './partition.ts';

/** A text with the place of its class. */
export interface LabelledText {
  text: string;
  label: number;
}

export interface LabelledTextOptions {
  train: number;
  eval: number;
}

const SHARES: Shares<Split> = [
  ['train', 10],
  ['eval', 6],
];

export const LABELLED_PAIRS: TextPairing = {
  description: 'a held-out text of the class beside one of other classes (as labelled by people), matched in length',
};

/** Negatives looked at for each positive; the one closest in length is taken. */
const CANDIDATES = 20;

/** The texts of one split: each different text once, the first label winning. */
export function splitTexts(texts: readonly LabelledText[], split: Split): LabelledText[] {
  const seen = new Set<string>();
  return texts.filter(({ text }) => {
    if (seen.has(text) || useOf(text, SHARES) !== split) return false;
    seen.add(text);
    return true;
  });
}

/** Texts with and without a class, for the judge: all of a split. */
export function judgeTexts(texts: readonly LabelledText[], split: Split, label: number): LabelledTexts {
  const own = splitTexts(texts, split);
  return {
    positive: own.filter((text) => text.label === label).map(({ text }) => text),
    negative: own.filter((text) => text.label !== label).map(({ text }) => text),
  };
}

/**
 * Concepts by class. Each positive is drawn at random; its negative is the closest in words among some texts of other
 * classes. A text may serve several concepts, always in the same split.
 */
export function labelledConcepts(
  dataset: string,
  texts: readonly LabelledText[],
  concepts: readonly Concept[],
  sizes: LabelledTextOptions,
  limits: { concepts?: number; perClass?: number },
  seed: number,
): ConceptSet {
  const chosen = concepts.slice(0, limits.concepts);
  const builder = conceptSetBuilder(chosen);
  for (const split of ['train', 'eval'] as const) {
    const pool = splitTexts(texts, split).map(({ text, label }, i) => {
      const { id } = concepts[label]!;
      return {
        item: { id: `${split}-${i}`, text, labels: { class: id }, concepts: [id] } as Item,
        label,
        words: words(text),
      };
    });
    chosen.forEach(({ id }, c) => {
      const rng = createRng(seed).fork(`${dataset} ${id} ${split}`);
      const positives = pool.filter(({ label }) => label === c);
      const others = pool.filter(({ label }) => label !== c);
      const size = Math.min(sizes[split], limits.perClass ?? sizes[split]);
      if (positives.length < size || others.length < size) {
        throw new UserError(
          `dataset ${dataset}: concept '${id}': expected ${size} texts with and without it in the ${split} split, found ` +
            `${positives.length} and ${others.length}; lower its option '${split}'.`,
        );
      }
      const drawn = Array.from(rng.sample(positives.length, size), (at) => positives[at]!);
      builder.add(
        c,
        split,
        'positive',
        drawn.map(({ item }) => item),
      );
      builder.add(c, split, 'negative', matched(drawn, others, rng));
    });
  }
  return builder.build();
}

/** For each of the drawn one of the others, the closest in words among some that come next in a random order; each at most once. */
export function matched(
  drawn: readonly { words: number }[],
  others: readonly { item: Item; words: number }[],
  rng: Rng,
): Item[] {
  const left = rng.shuffle([...others]);
  return drawn.map(({ words: wanted }) => {
    const candidates = left.slice(0, CANDIDATES);
    const gaps = candidates.map((candidate) => Math.abs(candidate.words - wanted));
    const best = gaps.indexOf(Math.min(...gaps));
    return left.splice(best, 1)[0]!.item;
  });
}

function words(text: string): number {
  return text.split(/\s+/).length;
}
