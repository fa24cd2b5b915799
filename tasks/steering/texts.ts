/** @file Texts as a prompt and its continuation, in the subject's tokens, and how likely the continuation is. */
import { type LanguageModel, rowLogSumExp, type Tensor2D, tf } from '../../harness/contract.ts';
import type { Likeness } from '../judges/fluency.ts';
import { repeatedShare } from '../judges/repetition.ts';

/** Token ids of a prompt and of what follows it. */
export interface Continued {
  prompt: number[];
  ids: number[];
}

/** Logits computed at a time: bounds the memory of a forward pass. */
const LOGITS = 2 ** 24;

/** Ids of a prompt, special tokens added as in a forward pass. */
export function promptIds({ tokenizer }: LanguageModel, text: string): number[] {
  return tokenizer.encode(text).ids;
}

/**
 * Cuts a text at the token that begins at or after character `start`; special tokens do not continue it. At most
 * `limit` tokens follow.
 */
export function cutText({ tokenizer }: LanguageModel, text: string, start: number, limit: number): Continued {
  const { ids, offsets } = tokenizer.encode(text);
  const first = offsets.findIndex(([from], i) => from >= start && !tokenizer.specialIds.has(ids[i]!));
  if (first < 0) return { prompt: ids, ids: [] };
  const rest = ids.slice(first).filter((id) => !tokenizer.specialIds.has(id));
  return { prompt: ids.slice(0, first), ids: rest.slice(0, limit) };
}

/** Mean −ln p of the continuation's tokens under the subject as it is, and how repetitive they are. */
export async function likenessOf(
  subject: LanguageModel,
  texts: readonly Continued[],
  options: { signal?: AbortSignal; progress?: (done: number, total: number) => void } = {},
): Promise<Likeness[]> {
  const out: Likeness[] = texts.map(({ ids }) => ({ tokens: ids.length, nll: 0, repetition: repeatedShare(ids) }));
  // Rows of like length together: less padding.
  const order = texts
    .map((text, index) => ({ index, length: text.prompt.length + text.ids.length, tokens: text.ids.length }))
    .filter(({ tokens }) => tokens > 0)
    .sort((a, b) => a.length - b.length);
  for (let from = 0; from < order.length; ) {
    options.signal?.throwIfAborted();
    let to = from + 1;
    while (to < order.length && (to + 1 - from) * order[to]!.length * subject.tokenizer.vocabSize <= LOGITS) to++;
    const rows = order.slice(from, to).map(({ index }) => index);
    const values = await meanNll(
      subject,
      rows.map((row) => texts[row]!),
    );
    rows.forEach((row, i) => {
      out[row]!.nll = values[i]!;
    });
    from = to;
    options.progress?.(from, order.length);
  }
  return out;
}

async function meanNll(subject: LanguageModel, texts: readonly Continued[]): Promise<Float64Array> {
  const n = texts.length;
  const length = Math.max(...texts.map(({ prompt, ids }) => prompt.length + ids.length));
  const ids = new Int32Array(n * length).fill(subject.tokenizer.padId ?? 0);
  const mask = new Uint8Array(n * length);
  // Places of the logits that predict a continuation's tokens, and those tokens.
  const places: number[] = [];
  const targets: number[] = [];
  texts.forEach((text, i) => {
    const all = [...text.prompt, ...text.ids];
    ids.set(all, i * length);
    mask.fill(1, i * length, i * length + all.length);
    text.ids.forEach((id, j) => {
      places.push(i * length + text.prompt.length + j - 1);
      targets.push(id);
    });
  });
  const losses = tf.tidy(() => {
    const { logits } = subject.forward({ n, length, ids, mask }, { places: Int32Array.from(places) });
    const vocab = logits!.shape[2];
    const rows = tf.reshape(logits!, [places.length, vocab]) as Tensor2D;
    const at = tf.tensor1d(
      targets.map((id, i) => i * vocab + id),
      'int32',
    );
    return tf.sub(rowLogSumExp(rows), tf.gather(tf.reshape(rows, [-1]), at));
  });
  const values = await losses.data();
  losses.dispose();
  const means = new Float64Array(n);
  let at = 0;
  texts.forEach((text, i) => {
    for (let j = 0; j < text.ids.length; j++) means[i]! += values[at++]! / text.ids.length;
  });
  return means;
}
