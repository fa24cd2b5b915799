/** @file Texts as a batch with the clean stream at the site, and the losses of what the subject makes of it once it is changed. */
import {
  type Scalar,
  type SubjectChange,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type TokenBatch,
  tf,
} from '../../../harness/contract.ts';
import { restOfText, targetLosses } from '../../../harness/kit/index.ts';
import { type BatchRows, rowsOf, tokensOf } from '../token-batches.ts';
import type { Source, TrainingText } from './texts.ts';

/** Texts that pass through the subject together, and what of them is learned to be written. */
export interface ResponseBatch {
  texts: readonly TrainingText[];
  /** With the lengths of their prompts. */
  tokens: TokenBatch;
  /** Where the tokens of responses are predicted, row · length + column, and these tokens. */
  places: Int32Array;
  targets: Int32Array;
  /** The text of each place. */
  rowOf: Int32Array;
}

/** With the clean stream at the site. */
export interface TextBatch extends ResponseBatch, BatchRows {}

/** Logits computed at a time: bounds the memory of a pass and of its gradient. */
const LOGITS = 2 ** 25;

/** How many tokens, padding included, may pass through the subject together. */
export const tokensAtOnce = ({ lm }: Source): number => Math.max(1, Math.floor(LOGITS / lm.tokenizer.vocabSize));

/** The texts without their activations. */
export function responseBatch({ labelled: { activations } }: Source, texts: readonly TrainingText[]): ResponseBatch {
  const tokens = tokensOf(activations, texts);
  const [places, targets, rowOf]: [number[], number[], number[]] = [[], [], []];
  for (const [row, text] of texts.entries()) {
    const from = row * tokens.length;
    for (let p = text.prompt; p < text.length; p++) {
      places.push(from + p - 1);
      targets.push(tokens.ids[from + p]!);
      rowOf.push(row);
    }
  }
  return {
    texts,
    tokens: { ...tokens, promptLengths: Int32Array.from(texts, ({ prompt }) => prompt) },
    places: Int32Array.from(places),
    targets: Int32Array.from(targets),
    rowOf: Int32Array.from(rowOf),
  };
}

/** The texts with their stream. */
export async function readBatch(source: Source, texts: readonly TrainingText[]): Promise<TextBatch> {
  const batch = responseBatch(source, texts);
  return { ...batch, ...(await rowsOf(source.labelled.activations, texts, batch.tokens)) };
}

/** The clean stream [n, length, d], and [n, length, 1]: 1 where a row counts. Call inside `tf.tidy`. */
export function streamOf({ x, keep, d, tokens: { n, length } }: TextBatch): { x: Tensor3D; keep: Tensor3D } {
  return { x: tf.tensor3d(x, [n, length, d]), keep: tf.tensor3d(keep, [n, length, 1]) };
}

/** −ln p of each token of the responses [places] when the stream at the site is `changed` [n, length, d]. Differentiable in it. */
export function lossesAfter(source: Source, batch: TextBatch, changed: Tensor3D): Tensor1D {
  const { lm, site } = source;
  const rest = restOfText(lm, site);
  // Where the site does not decide all that follows, the whole pass is run with the stream put in its place.
  if (!rest) return lossesUnder(source, batch, { interventions: [{ site, apply: () => changed }] });
  return targetLossesOf(batch, rest(changed, batch.tokens, batch.places));
}

/** −ln p of each token of the responses [places] of a subject that is changed. Differentiable in what the change is made of. */
function lossesUnder({ lm }: Source, batch: ResponseBatch, change: SubjectChange): Tensor1D {
  const { tokens, places } = batch;
  return targetLossesOf(batch, lm.forward(tokens, { ...change, places }).logits!);
}

const targetLossesOf = ({ places, targets }: ResponseBatch, logits: Tensor3D): Tensor1D =>
  targetLosses(tf.reshape(logits, [places.length, logits.shape[2]]), targets);

/** Σ −ln p over the responses of a piece, from the loss of each token, over the `tokens` of the whole batch's responses. */
export const shareOf = (losses: Tensor1D, tokens: number): Scalar => tf.div(tf.sum(losses), tokens) as Scalar;

/** {@link shareOf} of a piece, of a subject that is changed. */
export const changedLoss = (source: Source, batch: ResponseBatch, change: SubjectChange, tokens: number): Scalar =>
  shareOf(lossesUnder(source, batch, change), tokens);

/** Sums over each text: [places] → [n]. */
export function sumsByText({ rowOf, tokens: { n } }: ResponseBatch, values: Tensor1D): Tensor1D {
  const member = new Float32Array(n * rowOf.length);
  rowOf.forEach((row, i) => {
    member[row * rowOf.length + i] = 1;
  });
  const sums = tf.matMul(tf.tensor2d(member, [n, rowOf.length]), tf.reshape(values, [-1, 1]) as Tensor2D);
  return tf.reshape(sums, [n]) as Tensor1D;
}

/** Number of response tokens of a text. */
export const responseLength = ({ length, prompt }: TrainingText): number => length - prompt;
