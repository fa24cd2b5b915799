/** @file Texts as a prompt and its continuation, in the subject's tokens, and how likely the continuation is. */
import { type LanguageModel, type Tensor3D, tf } from '../../harness/contract.ts';
import { meanLoss, type TextLikelihood } from '../judges/parts/fluency.ts';
import { repetition } from '../judges/parts/repetition.ts';
import { type Continued, continuationLosses, LOGITS } from './continuation-losses.ts';

/** Ids of a prompt, special tokens added as in a forward pass. */
export function promptIds({ tokenizer }: LanguageModel, text: string): number[] {
  return tokenizer.encode(text).ids;
}

/**
 * Cuts a text at the token that begins at or after character `start`; special tokens do not continue it. At most
 * `limit` tokens follow.
 */
export function cutText(
  { tokenizer }: Pick<LanguageModel, 'tokenizer'>,
  text: string,
  start: number,
  limit: number,
): Continued {
  const { ids, offsets } = tokenizer.encode(text);
  const first = offsets.findIndex(([from], i) => from >= start && !tokenizer.specialIds.has(ids[i]!));
  if (first < 0) return { prompt: ids, ids: [] };
  const rest = ids.slice(first).filter((id) => !tokenizer.specialIds.has(id));
  return { prompt: ids.slice(0, first), ids: rest.slice(0, limit) };
}

/** What the texts' own generation left of them: the residual stream at a site, before anything was added there. */
export interface RecordedStream {
  site: string;
  /** [texts, columns, d]; a text's continuation begins at column `start`, after its prompt and the padding of that. */
  x: Tensor3D;
  start: number;
}

interface LikelihoodOptions {
  signal?: AbortSignal;
  progress?: (done: number, total: number) => void;
  /** Saves what comes before the site; for subjects that can go on from there. */
  recorded?: RecordedStream;
  /** What earlier calls measured of the subject's texts; grows. */
  known?: KnownTexts;
}

/** Texts whose likelihood is remembered for one kind of stream. */
const MOST_KNOWN = 2 ** 14;

/** Mean −ln p of texts of one subject, by what their streams have in common: site, and the column of the first new token. */
export type KnownTexts = Map<string, Map<string, number>>;

/**
 * Where the likelihoods of texts are kept. Weak steering leaves many texts as they are without it, whatever the method:
 * about half of all have been measured before. Only texts that come by the same way, for the same rounding.
 */
function knownTexts(ways: KnownTexts, recorded: RecordedStream | undefined): Map<string, number> {
  if (!recorded) return new Map();
  const way = `${recorded.site} ${recorded.start}`;
  const before = ways.get(way);
  const known = before && before.size < MOST_KNOWN ? before : new Map<string, number>();
  ways.set(way, known);
  return known;
}

/** Mean −ln p of the continuation's tokens under the subject as it is, and how repetitive they are. */
export async function textLikelihoods(
  subject: LanguageModel,
  texts: readonly Continued[],
  options: LikelihoodOptions = {},
): Promise<TextLikelihood[]> {
  const known = knownTexts(options.known ?? new Map(), options.recorded);
  const keys = texts.map(({ prompt, ids }) => `${prompt} | ${ids}`);
  // Of equal texts the last one stands for all.
  const places = new Map(keys.map((key, index) => [key, index]));
  const wanted = (index: number) => places.get(keys[index]!) === index && !known.has(keys[index]!);
  await eachLosses(subject, texts, wanted, options, (row, losses) => {
    known.set(keys[row]!, meanLoss(losses, losses.length));
  });
  return texts.map(({ ids }, i) => {
    const nll = ids.length > 0 ? known.get(keys[i]!)! : 0;
    return { tokens: ids.length, nll, repetition: repetition(ids, textOf(subject, ids)) };
  });
}

/** The continuation's text. */
export const textOf = ({ tokenizer }: LanguageModel, ids: readonly number[]): string =>
  tokenizer.decode([...ids], { skipSpecialTokens: true });

/** −ln p of each of the continuation's tokens under the subject as it is. */
export async function textLosses(
  subject: LanguageModel,
  texts: readonly Continued[],
  options: Pick<LikelihoodOptions, 'signal' | 'progress'> = {},
): Promise<Float32Array[]> {
  const losses: Float32Array[] = texts.map(() => new Float32Array(0));
  await eachLosses(
    subject,
    texts,
    () => true,
    options,
    (row, own) => {
      losses[row] = own;
    },
  );
  return losses;
}

/** Hands over the losses of all wanted texts that have tokens, a batch of like lengths at a time: less padding. */
async function eachLosses(
  subject: LanguageModel,
  texts: readonly Continued[],
  wanted: (index: number) => boolean,
  { signal, progress, recorded }: Omit<LikelihoodOptions, 'known'>,
  use: (index: number, losses: Float32Array) => void,
): Promise<void> {
  const order = texts
    .map((text, index) => ({ index, length: text.prompt.length + text.ids.length, tokens: text.ids.length }))
    .filter(({ index, tokens }) => tokens > 0 && wanted(index))
    .sort((a, b) => a.length - b.length);
  for (let from = 0; from < order.length; ) {
    signal?.throwIfAborted();
    let to = from + 1;
    while (to < order.length && (to + 1 - from) * order[to]!.length * subject.tokenizer.vocabSize <= LOGITS) to++;
    const rows = order.slice(from, to).map(({ index }) => index);
    const losses = await batchLosses(subject, texts, rows, recorded);
    rows.forEach((row, i) => {
      use(row, losses[i]!);
    });
    from = to;
    progress?.(from, order.length);
  }
}

/** −ln p of the tokens of the texts at places `rows`. */
async function batchLosses(
  subject: LanguageModel,
  texts: readonly Continued[],
  rows: readonly number[],
  recorded: RecordedStream | undefined,
): Promise<Float32Array[]> {
  const own = rows.map((row) => texts[row]!);
  return await continuationLosses(own, subject.tokenizer.padId, (batch, places) => {
    const wanted = { places };
    const { logits } = recorded
      ? subject.forwardFrom!(recorded.site, streamOf(recorded, texts, rows, batch.length), batch, wanted)
      : subject.forward(batch, wanted);
    return logits!;
  });
}

/** The recorded stream of some texts, right-padded: [rows, length, d]. */
function streamOf(
  { x, start }: RecordedStream,
  texts: readonly Continued[],
  rows: readonly number[],
  length: number,
): Tensor3D {
  const [n, columns, d] = x.shape;
  const from = new Int32Array(rows.length * length);
  rows.forEach((row, i) => {
    const { prompt, ids } = texts[row]!;
    for (let p = 0; p < length; p++) {
      const column = p < prompt.length ? p : start + p - prompt.length;
      // Padding looks like the first token: any will do.
      from[i * length + p] = row * columns + (p < prompt.length + ids.length - 1 ? column : 0);
    }
  });
  const flat = tf.gather(tf.reshape(x, [n * columns, d]), tf.tensor1d(from, 'int32'));
  return tf.reshape(flat, [rows.length, length, d]) as Tensor3D;
}
