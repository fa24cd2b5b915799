/** @file Losses of texts by whole passes: where what comes before the site is not what is stored of it. */
import type { FittedMethod, LanguageModel } from '../../../harness/contract.ts';
import { type Applied, batchChange, changeNumbers, together } from '../applied.ts';
import { type Continued, continuationLosses, LOGITS, meanOf } from '../continuation-losses.ts';
import type { LossOptions } from './losses.ts';

/** A text, and what it is read under; with nothing by the clean subject. */
export interface WholeText {
  text: Continued;
  steering?: Applied;
}

/** Positions of a batch: bounds the memory of a pass from the first block on. */
const POSITIONS = 2 ** 13;

/** Mean −ln p of the tokens that continue each prompt. All are steered, or none. */
export async function wholeLosses(
  { subject, site, method }: { subject: LanguageModel; site: string; method?: FittedMethod },
  texts: readonly WholeText[],
  { signal, progress }: LossOptions = {},
): Promise<Float64Array> {
  const losses = new Float64Array(texts.length);
  const lengthOf = (i: number) => texts[i]!.text.prompt.length + texts[i]!.text.ids.length;
  const changes = changeNumbers(texts.map(({ steering }) => steering));
  const order = texts.map((_, i) => i);
  order.sort((a, b) => changes[a]! - changes[b]! || lengthOf(a) - lengthOf(b) || a - b);
  const { vocabSize, padId } = subject.tokenizer;
  for (let from = 0; from < order.length; ) {
    signal?.throwIfAborted();
    let to = from;
    let scored = 0;
    for (; to < order.length; to++) {
      const { text, steering } = texts[order[to]!]!;
      if (!together(steering, texts[order[from]!]!.steering)) break;
      scored += text.ids.length;
      const fits = scored * vocabSize <= LOGITS && (to + 1 - from) * lengthOf(order[to]!) <= POSITIONS;
      if (to > from && !fits) break;
    }
    const batch = order.slice(from, to).map((i) => texts[i]!);
    const applied = batch.flatMap(({ steering }) => steering ?? []);
    const change = method && applied.length > 0 ? batchChange(site, applied, method) : undefined;
    const changed = change && ('own' in change ? change.own : { interventions: [change.steering] });
    const values = await continuationLosses(
      batch.map(({ text }) => text),
      padId,
      (tokens, places) => subject.forward(tokens, { places, ...changed }).logits!,
    );
    order.slice(from, to).forEach((i, at) => {
      losses[i] = meanOf(values[at]!);
    });
    from = to;
    progress?.(from, order.length);
  }
  return losses;
}
