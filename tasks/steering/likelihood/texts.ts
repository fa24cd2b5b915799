/** @file Texts whose activations are stored: which of their tokens are scored, and what of the store a pass goes on from. */
import {
  type ActivationSet,
  type Item,
  type LanguageModel,
  type Tensor3D,
  type TokenBatch,
  tf,
} from '../../../harness/contract.ts';
import type { Continued } from '../continuation-losses.ts';
import { cutText } from '../texts.ts';

/** A text by its item in a set of activations; tokens are counted from the first of the item. */
export interface StoredText {
  item: number;
  /** Tokens of its prompt; 0 where it has none. */
  prompt: number;
  /** The tokens that are scored: from `start` (the first that something comes before), `end` exclusive. */
  start: number;
  end: number;
}

/** Fewer scored tokens say little of a text. */
export const LEAST_TOKENS = 4;

/** An item's scored tokens: those of its response, else all but the first. Undefined where there are too few. */
export function storedText(
  subject: Pick<LanguageModel, 'tokenizer'>,
  set: ActivationSet,
  place: number,
  { text, responseStart }: Item,
): StoredText | undefined {
  if (text === undefined) return undefined;
  const first = set.bounds[place]!;
  const ids = set.tokenIds.subarray(first, set.bounds[place + 1]!);
  // Rows that nobody knows the tokens of cannot be read by the subject.
  if (ids.some((id) => id < 0)) return undefined;
  const prompt = responseStart ? cutText(subject, text, responseStart, 1).prompt.length : 0;
  let end = ids.length;
  // What closes a text is no part of what it says.
  while (end > 0 && subject.tokenizer.specialIds.has(ids[end - 1]!)) end--;
  const start = Math.max(1, prompt);
  return end - start < LEAST_TOKENS ? undefined : { item: place, prompt, start, end };
}

/** The stored activations of some texts, each read once. */
export interface TextStore {
  continued(text: StoredText): Continued;
  /** Reads what the texts need. */
  load(texts: readonly StoredText[]): Promise<void>;
  /** Activations [texts, length, d] of the texts' first tokens; 0 where a text has no more. */
  activations(texts: readonly StoredText[], length: number): Tensor3D;
}

export function textStore(set: ActivationSet): TextStore {
  const { bounds, tokenIds, d_in } = set;
  const read = new Map<number, Float32Array>();
  return {
    continued({ item, start, end }) {
      const ids = tokenIds.subarray(bounds[item]!, bounds[item + 1]!);
      return { prompt: [...ids.subarray(0, start)], ids: [...ids.subarray(start, end)] };
    },
    async load(texts) {
      for (const { item } of texts) {
        if (!read.has(item)) read.set(item, await set.read(bounds[item]!, bounds[item + 1]!));
      }
    },
    activations(texts, length) {
      const data = new Float32Array(texts.length * length * d_in);
      texts.forEach(({ item, end }, i) => {
        data.set(read.get(item)!.subarray(0, Math.min(length, end - 1) * d_in), i * length * d_in);
      });
      return tf.tensor3d(data, [texts.length, length, d_in]);
    },
  };
}

/** Scored tokens of a text. */
export const tokensOf = ({ start, end }: StoredText): number => end - start;

/** The text with at most `tokens` scored. */
export const cutTo = (text: StoredText, tokens: number): StoredText => ({
  ...text,
  end: Math.min(text.end, text.start + tokens),
});

/** Which positions are real, for interventions. Call inside `tf.tidy`. */
export const maskOf = ({ n, length, mask }: TokenBatch) => tf.tensor2d(Float32Array.from(mask), [n, length]);
