/** @file The loss of what continues a prompt: which logits a pass must give for it, and the means by text. */
import { type Tensor1D, type Tensor3D, type TokenBatch, tf } from '../../harness/contract.ts';
import { targetLosses } from '../../harness/kit/index.ts';

/** Token ids of a prompt and of what follows it. */
export interface Continued {
  prompt: number[];
  ids: number[];
}

/** Logits computed at a time: bounds the memory of a forward pass. */
export const LOGITS = 2 ** 24;

/** A forward pass over right-padded texts, and what of it is scored. */
export interface ScoredBatch {
  batch: TokenBatch;
  /** Where logits are wanted: those that predict a continuation's tokens, text by text. */
  places: Int32Array;
  /** The tokens that came there. */
  targets: Int32Array;
}

/** The last token of a text predicts nothing that is asked for, and is left out of the pass. */
export function scoredBatch(texts: readonly Continued[], padId = 0): ScoredBatch {
  const n = texts.length;
  const length = Math.max(...texts.map(({ prompt, ids }) => prompt.length + ids.length)) - 1;
  const ids = new Int32Array(n * length).fill(padId);
  const mask = new Uint8Array(n * length);
  const places: number[] = [];
  const targets: number[] = [];
  texts.forEach((text, i) => {
    const all = [...text.prompt, ...text.ids.slice(0, -1)];
    ids.set(all, i * length);
    mask.fill(1, i * length, i * length + all.length);
    text.ids.forEach((id, j) => {
      places.push(i * length + text.prompt.length + j - 1);
      targets.push(id);
    });
  });
  const promptLengths = Int32Array.from(texts, ({ prompt }) => prompt.length);
  return {
    batch: { n, length, ids, mask, promptLengths },
    places: Int32Array.from(places),
    targets: Int32Array.from(targets),
  };
}

/** −ln p of the tokens that came, [places], from logits [1, places, vocab]. Call inside `tf.tidy`. */
export function tokenLosses(logits: Tensor3D, targets: Int32Array): Tensor1D {
  const vocab = logits.shape[2];
  return targetLosses(tf.reshape(logits, [targets.length, vocab]), targets);
}

/** What each scored token has, by text. */
export function byText(texts: readonly Continued[], values: Float32Array): Float32Array[] {
  let at = 0;
  return texts.map(({ ids }) => {
    at += ids.length;
    return values.slice(at - ids.length, at);
  });
}

/**
 * −ln p of each token of each text's continuation.
 *
 * @param pass Logits [1, places, vocab] of the batch.
 */
export async function continuationLosses(
  texts: readonly Continued[],
  padId: number | undefined,
  pass: (batch: TokenBatch, places: Int32Array) => Tensor3D,
): Promise<Float32Array[]> {
  const { batch, places, targets } = scoredBatch(texts, padId);
  const losses = tf.tidy(() => tokenLosses(pass(batch, places), targets));
  const values = await losses.data();
  losses.dispose();
  return byText(texts, values as Float32Array);
}

/** The mean, in double precision. */
export const meanOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
