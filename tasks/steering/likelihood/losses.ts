/** @file Losses of stored texts under the steered subject, computed from the steered site on. */
import type { ActivationSet, FittedMethod, LanguageModel, Tensor3D, TokenBatch } from '../../../harness/contract.ts';
import { restOfText } from '../../../harness/kit/index.ts';
import { type Applied, batchChange, changeNumbers, together } from '../applied.ts';
import { continuationLosses, LOGITS, meanOf } from '../continuation-losses.ts';
import { maskOf, type StoredText, textStore, tokensOf } from './texts.ts';

/** A text, and what it is read with; with nothing for the clean subject. */
export interface SteeredText {
  text: StoredText;
  steering?: Applied;
}

/** Where is steered. */
export interface Steerable {
  subject: LanguageModel;
  site: { name: string; d: number };
  /** What steers; absent where nothing does. */
  method?: FittedMethod;
}

/** Floats of the activations of a batch: bounds the memory of a pass. */
const ACTIVATIONS = 2 ** 21;

export interface LossOptions {
  signal?: AbortSignal;
  progress?: (done: number, total: number) => void;
}

/** Mean −ln p of the scored tokens of each text. All are steered, or none. */
export async function steeredLosses(
  { subject, site, method }: Steerable,
  set: ActivationSet,
  texts: readonly SteeredText[],
  { signal, progress }: LossOptions = {},
): Promise<Float64Array> {
  const store = textStore(set);
  const losses = new Float64Array(texts.length);
  // Those of a kind and of a change together, for one intervention each; within it those of a length, for less padding.
  const order = texts.map((_, i) => i);
  const kindOf = (i: number) => texts[i]!.steering?.kind ?? '';
  const changes = changeNumbers(texts.map(({ steering }) => steering));
  order.sort(
    (a, b) =>
      kindOf(a).localeCompare(kindOf(b)) ||
      changes[a]! - changes[b]! ||
      texts[a]!.text.end - texts[b]!.text.end ||
      a - b,
  );
  const { vocabSize, padId } = subject.tokenizer;
  for (let from = 0; from < order.length; ) {
    signal?.throwIfAborted();
    let to = from;
    let [scored, longest] = [0, 0];
    for (; to < order.length; to++) {
      const { text, steering } = texts[order[to]!]!;
      if (!together(steering, texts[order[from]!]!.steering)) break;
      scored += tokensOf(text);
      longest = Math.max(longest, text.end - 1);
      const fits = scored * vocabSize <= LOGITS && (to + 1 - from) * longest * site.d <= ACTIVATIONS;
      if (to > from && !fits) break;
    }
    const batch = order.slice(from, to).map((i) => texts[i]!);
    const own = batch.map(({ text }) => text);
    await store.load(own);
    const applied = batch.flatMap(({ steering }) => steering ?? []);
    const change = method && applied.length > 0 ? batchChange(site.name, applied, method) : undefined;
    const continued = own.map((text) => store.continued(text));
    const values = await continuationLosses(continued, padId, (tokens, places) =>
      logitsOf(subject, site.name, () => store.activations(own, tokens.length), tokens, places, change),
    );
    order.slice(from, to).forEach((i, at) => {
      losses[i] = meanOf(values[at]!);
    });
    from = to;
    progress?.(from, order.length);
  }
  return losses;
}

/**
 * Logits [1, places, vocab] of a batch: from its stored activations at the site on where these decide all that follows, else
 * by a whole pass; so under a method's own change (`whole`: and what is compared with it), which may be made before the site.
 * Call inside `tf.tidy`.
 */
export function logitsOf(
  subject: LanguageModel,
  site: string,
  activations: () => Tensor3D,
  batch: TokenBatch,
  places: Int32Array,
  change: ReturnType<typeof batchChange> | 'whole' | undefined,
): Tensor3D {
  if (change === 'whole') return subject.forward(batch, { places }).logits!;
  if (change && 'own' in change) return subject.forward(batch, { places, ...change.own }).logits!;
  const steering = change?.steering;
  const rest = restOfText(subject, site);
  if (!rest) return subject.forward(batch, { places, ...(steering && { interventions: [steering] }) }).logits!;
  const x = activations();
  const changed = steering ? steering.apply(x, { offset: 0, phase: 'prompt', mask: maskOf(batch) }) : x;
  return rest(changed, batch, places);
}
