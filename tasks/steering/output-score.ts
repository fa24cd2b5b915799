/** @file Output scores of latents: whether a latent, amplified, brings out the tokens that its direction names. */
import {
  type FittedMethod,
  type LanguageModel,
  type Subject,
  type Tensor2D,
  type Tensor3D,
  tf,
} from '../../harness/contract.ts';
import { directionLogits, equalTexts, isResidualStream } from '../../harness/kit/index.ts';

/** The neutral prompt, the number of named tokens and the amplification of Arad et al. 2025 (arXiv:2505.20063 and its code). */
export const NEUTRAL_PROMPT = 'From my experience,';
const NAMED = 20;
const AMPLIFICATION = 10;
/** Logits computed at a time. */
const LOGITS = 2 ** 23;

/**
 * S_out of each direction: (1 − r / V) · p over the V tokens after the prompt, where 10 times the largest code of the prompt's
 * last token is added to the latent there. p is the largest probability, and r the best rank from 0, of the 20 tokens that the
 * direction itself names: those of largest logit when it stands alone before the final norm. In [0, 1].
 *
 * @param effects What one unit of each latent adds at the site, [d] each.
 * @param largest The largest code of the prompt's last token.
 */
export async function outputScores(
  lm: LanguageModel,
  site: string,
  ids: readonly number[],
  effects: readonly Float32Array[],
  largest: number,
): Promise<Float64Array> {
  const found = new Float64Array(effects.length);
  const each = Math.max(1, Math.floor(LOGITS / (lm.tokenizer.vocabSize * 2)));
  for (let from = 0; from < effects.length; from += each) {
    const some = effects.slice(from, from + each);
    const [named, amplified] = tf.tidy(() => [
      directionLogits(lm, tf.tensor2d(joinRows(some), [some.length, some[0]!.length])),
      amplifiedLogits(lm, site, ids, some, largest),
    ]);
    const [words, logits] = [(await named!.array()) as number[][], (await amplified!.array()) as number[][]];
    tf.dispose([named!, amplified!]);
    some.forEach((_, i) => {
      found[from + i] = scoreOf(words[i]!, logits[i]!);
    });
  }
  return found;
}

/** The largest code of the prompt's last token; codes of other tokens do not count. */
export async function largestCode(
  lm: LanguageModel,
  site: string,
  ids: readonly number[],
  method: FittedMethod,
): Promise<number> {
  const codes = tf.tidy(() => {
    const { captured } = lm.forward(equalTexts(ids, 1), { capture: [site], output: false });
    const x = captured[site]!;
    const last = tf.reshape(tf.slice(x, [0, ids.length - 1, 0], [1, 1, -1]), [1, x.shape[2]]) as Tensor2D;
    return tf.max(method.encode!(last).values);
  });
  const value = (await codes.data())[0]!;
  codes.dispose();
  return value;
}

/** Logits [n, vocab] after the prompt, with each latent amplified at its last token. */
function amplifiedLogits(
  lm: LanguageModel,
  site: string,
  ids: readonly number[],
  effects: readonly Float32Array[],
  largest: number,
) {
  const n = effects.length;
  const batch = equalTexts(ids, n);
  const d = effects[0]!.length;
  const added = tf.pad(tf.mul(tf.tensor3d(joinRows(effects), [n, 1, d]), AMPLIFICATION * largest), [
    [0, 0],
    [ids.length - 1, 0],
    [0, 0],
  ]);
  const places = Int32Array.from({ length: n }, (_, i) => (i + 1) * ids.length - 1);
  const { logits } = lm.forward(batch, {
    interventions: [{ site, apply: (x) => tf.add(x, added) as Tensor3D }],
    places,
  });
  return tf.reshape(logits!, [n, logits!.shape[2]]);
}

function scoreOf(named: readonly number[], logits: readonly number[]): number {
  const words = [...named.keys()].sort((a, b) => named[b]! - named[a]! || a - b).slice(0, NAMED);
  const most = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
  const best = words.reduce((top, word) => (logits[word]! > logits[top]! ? word : top), words[0]!);
  const rank = logits.filter((logit) => logit > logits[best]!).length;
  return (1 - rank / logits.length) * (Math.exp(logits[best]! - most) / total);
}

function joinRows(rows: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(rows.length * rows[0]!.length);
  rows.forEach((row, i) => {
    joined.set(row, i * row.length);
  });
  return joined;
}

/** The model and the site where latents have output scores; else why they have none. */
export function scorable(
  subject: Subject | undefined,
  site: string | undefined,
): { lm: LanguageModel; at: string } | string {
  if (subject?.type !== 'lm') return 'output scores need a language model';
  if (!subject.forwardFrom) return 'output scores need a model that can be run from its last block on';
  if (site === undefined || !isResidualStream(site)) {
    return 'output scores are of latents that write to the residual stream';
  }
  return { lm: subject, at: site };
}
