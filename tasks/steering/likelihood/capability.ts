/** @file What steering costs on held-out text: its loss, and how far the predictions move from those of the clean subject. */
import { type ActivationSet, type Item, type LanguageModel, tf } from '../../../harness/contract.ts';
import { divergences, logProbs } from '../../../harness/kit/index.ts';
import { type Applied, batchChange } from '../applied.ts';
import { byText, LOGITS, meanOf, scoredBatch, tokenLosses } from '../continuation-losses.ts';
import { type LossOptions, logitsOf, type Steerable } from './losses.ts';
import { cutTo, type StoredText, storedText, textStore, tokensOf } from './texts.ts';

/** Of one document under one steering: means over its scored tokens, in nats. */
export interface Cost {
  /** Loss steered less loss clean. */
  loss: number;
  /** KL(clean ‖ steered) of the next-token distributions. */
  kl: number;
}

/** The first held-out documents that have enough tokens, of each its beginning. All of it is scored: it has no prompt. */
export function costDocuments(
  subject: LanguageModel,
  test: ActivationSet,
  items: readonly Item[],
  { documents, tokens }: { documents: number; tokens: number },
): StoredText[] {
  const found: StoredText[] = [];
  for (const [place, item] of items.entries()) {
    if (found.length === documents) break;
    const text = storedText(subject, test, place, { ...item, responseStart: undefined });
    if (text) found.push(cutTo(text, tokens));
  }
  return found;
}

/**
 * Costs of each steering on each document, [steerings][documents]; the clean subject reads each document once for all. All
 * are changes of a method's own, or none is. A document has no prompt: a change that is made at prompts alone does not reach it,
 * and has no cost that could be read off it (undefined), which is not a cost of 0.
 */
export async function steeringCosts(
  { subject, site, method }: Steerable & Required<Pick<Steerable, 'method'>>,
  test: ActivationSet,
  documents: readonly StoredText[],
  steerings: readonly Applied[],
  { signal, progress }: LossOptions = {},
): Promise<(Cost[] | undefined)[]> {
  const costs = steerings.map((): Cost[] => []);
  const store = textStore(test);
  await store.load(documents);
  // Clean and steered log-probabilities stand beside each other, with what is computed of them.
  const most = LOGITS / 2 / subject.tokenizer.vocabSize;
  for (let from = 0; from < documents.length; ) {
    let to = from + 1;
    let scored = tokensOf(documents[from]!);
    while (to < documents.length && scored + tokensOf(documents[to]!) <= most) scored += tokensOf(documents[to++]!);
    const own = documents.slice(from, to);
    const continued = own.map((text) => store.continued(text));
    const { batch, places, targets } = scoredBatch(continued, subject.tokenizer.padId);
    // What changes the subject before the site is compared with a pass of the same kind: nothing but the change differs.
    const clear = steerings[0]?.kind === 'own' ? 'whole' : undefined;
    const logits = (steering?: Applied) => {
      const each =
        steering &&
        batchChange(
          site.name,
          own.map(() => steering),
          method,
        );
      return logitsOf(subject, site.name, () => store.activations(own, batch.length), batch, places, each ?? clear);
    };
    const clean = tf.tidy(() => {
      const found = logits();
      return { logp: logProbs(found), losses: tokenLosses(found, targets) };
    });
    const before = await clean.losses.data();
    for (const [s, steering] of steerings.entries()) {
      signal?.throwIfAborted();
      const steered = tf.tidy(() => {
        const found = logits(steering);
        return { kl: divergences(clean.logp, logProbs(found)), losses: tokenLosses(found, targets) };
      });
      const kl = byText(continued, (await steered.kl.data()) as Float32Array);
      const after = (await steered.losses.data()) as Float32Array;
      tf.dispose(steered);
      const loss = byText(
        continued,
        after.map((value, i) => value - before[i]!),
      );
      own.forEach((_, i) => {
        // A divergence is not below 0; its sum can be, by rounding.
        costs[s]!.push({ loss: meanOf(loss[i]!), kl: Math.max(0, meanOf(kl[i]!)) });
      });
    }
    tf.dispose(clean);
    from = to;
    progress?.(from, documents.length);
  }
  const unreached = (own: readonly Cost[]) => own.every(({ loss, kl }) => loss === 0 && kl === 0);
  return costs.map((own, s) => (steerings[s]!.kind === 'own' && unreached(own) ? undefined : own));
}
