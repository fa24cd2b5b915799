/** @file Texts as a batch with the clean stream at the site, and the losses of what the subject makes of it once it is changed. */
import { type Tensor1D, type Tensor2D, type Tensor3D, type TokenBatch, tf } from '../../../harness/contract.ts';
import { restOfText, targetLosses } from '../../../harness/kit/index.ts';
import type { Source, TrainingText } from './texts.ts';

/** Texts that pass through the subject together; right-padded to `tokens.length`. */
export interface TextBatch {
  texts: readonly TrainingText[];
  tokens: TokenBatch;
  /** Row-major [n, length, d]: the clean stream at the site, 0 at padding. */
  x: Float32Array;
  d: number;
  /** [n, length]: 1 where a row counts by the policy of positions (no special tokens, no attention sinks). */
  keep: Float32Array;
  /** Where the tokens of responses are predicted, row · length + column, and these tokens. */
  places: Int32Array;
  targets: Int32Array;
  /** The text of each place. */
  rowOf: Int32Array;
}

/** Logits computed at a time: bounds the memory of a pass and of its gradient. */
const LOGITS = 2 ** 25;

/** How many tokens, padding included, may pass through the subject together. */
export const tokensAtOnce = ({ lm }: Source): number => Math.max(1, Math.floor(LOGITS / lm.tokenizer.vocabSize));

/** Groups of texts, in order, each within `tokens` tokens when padded; a text that is longer is alone. */
export function groups<T extends { length: number }>(texts: readonly T[], tokens: number): T[][] {
  const found: T[][] = [];
  let longest = 0;
  for (const text of texts) {
    const group = found.at(-1);
    longest = Math.max(longest, text.length);
    if (group && longest * (group.length + 1) <= tokens) group.push(text);
    else {
      found.push([text]);
      longest = text.length;
    }
  }
  return found;
}

/** Reads the texts' stream from the store: what comes before the site is not computed again. */
export async function readBatch(
  { labelled: { activations } }: Source,
  texts: readonly TrainingText[],
): Promise<TextBatch> {
  const n = texts.length;
  const length = Math.max(...texts.map((text) => text.length));
  const d = activations.d_in;
  const [ids, mask] = [new Int32Array(n * length), new Uint8Array(n * length)];
  const x = new Float32Array(n * length * d);
  const keep = new Float32Array(n * length);
  const [places, targets, rowOf]: [number[], number[], number[]] = [[], [], []];
  for (const [row, text] of texts.entries()) {
    const [from, end] = [row * length, text.start + text.length];
    ids.set(activations.tokenIds.subarray(text.start, end), from);
    mask.fill(1, from, from + text.length);
    keep.set(activations.keep.subarray(text.start, end), from);
    x.set(await activations.read(text.start, end), from * d);
    for (let p = text.prompt; p < text.length; p++) {
      places.push(from + p - 1);
      targets.push(ids[from + p]!);
      rowOf.push(row);
    }
  }
  const tokens = { n, length, ids, mask, promptLengths: Int32Array.from(texts, ({ prompt }) => prompt) };
  const [at, next, rows] = [places, targets, rowOf].map((values) => Int32Array.from(values)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  return { texts, tokens, x, d, keep, places: at, targets: next, rowOf: rows };
}

/** The clean stream [n, length, d], and [n, length, 1]: 1 where a row counts. Call inside `tf.tidy`. */
export function streamOf({ x, keep, d, tokens: { n, length } }: TextBatch): { x: Tensor3D; keep: Tensor3D } {
  return { x: tf.tensor3d(x, [n, length, d]), keep: tf.tensor3d(keep, [n, length, 1]) };
}

/** −ln p of each token of the responses [places] when the stream at the site is `changed` [n, length, d]. Differentiable in it. */
export function lossesAfter({ lm, site }: Source, batch: TextBatch, changed: Tensor3D): Tensor1D {
  const { tokens, places, targets } = batch;
  const rest = restOfText(lm, site);
  // Where the site does not decide all that follows, the whole pass is run with the stream put in its place.
  const logits = rest
    ? rest(changed, tokens, places)
    : lm.forward(tokens, { interventions: [{ site, apply: () => changed }], places }).logits!;
  return targetLosses(tf.reshape(logits, [places.length, logits.shape[2]]), targets);
}

/** Sums over each text: [places] → [n]. */
export function sumsByText({ rowOf, tokens: { n } }: TextBatch, values: Tensor1D): Tensor1D {
  const member = new Float32Array(n * rowOf.length);
  rowOf.forEach((row, i) => {
    member[row * rowOf.length + i] = 1;
  });
  const sums = tf.matMul(tf.tensor2d(member, [n, rowOf.length]), tf.reshape(values, [-1, 1]) as Tensor2D);
  return tf.reshape(sums, [n]) as Tensor1D;
}

/** Number of response tokens of a text. */
export const responseLength = ({ length, prompt }: TrainingText): number => length - prompt;
