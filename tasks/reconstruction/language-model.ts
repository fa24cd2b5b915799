/** @file What a reconstruction costs a language model: cross-entropy and KL with x̂ in place of x. */
import {
  type ActivationSet,
  type LanguageModel,
  type Prepared,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tf,
} from '../../harness/contract.ts';
import { divergences, logProbs, restOfText } from '../../harness/kit/index.ts';
import { keptCleanPasses, makeCleanPasses } from './clean-passes.ts';
import type { DocumentSums, Ratios } from './document-ratios.ts';
import { activationsOf, type ItemBatch, itemBatches, type Replacement, splice, spliced } from './splice.ts';

/** Padded positions of one forward pass. */
const POSITIONS = 1024;
/** Sums by document that `prepare` leaves. */
const PREPARED = ['tokens', 'ce_clean', 'ce_zero', 'ce_mean', 'kl_zero', 'kl_mean'];

export interface LmOptions {
  documents: number;
  /** MiB that `prepare` may keep of the clean passes. */
  cleanMiB: number;
  signal?: AbortSignal;
  progress: (done: number, total: number, note: string) => void;
}

/** Positions whose next token is predicted: kept, and followed by another position of the same item. */
function predictedPositions({ items, length, keep, tokens }: ItemBatch): {
  at: Int32Array;
  next: Int32Array;
  item: number[];
} {
  const at: number[] = [];
  const next: number[] = [];
  const item: number[] = [];
  for (let i = 0; i < items; i++) {
    for (let p = 0; p + 1 < length; p++) {
      const index = i * length + p;
      if (keep[index] !== 1 || tokens.mask[index + 1] !== 1) continue;
      at.push(index);
      next.push(tokens.ids[index + 1]!);
      item.push(i);
    }
  }
  return { at: Int32Array.from(at), next: Int32Array.from(next), item };
}

/** Log-probabilities of the next token at the predicted positions, [positions, vocab], with `replace`; where it can, the model goes on from x [items, length, d], the batch's activations. */
function splicedLogProbs(
  model: LanguageModel,
  batch: ItemBatch,
  at: Int32Array,
  site: string,
  x: Tensor3D,
  replace: Replacement,
): Tensor2D {
  const rest = restOfText(model, site);
  return tf.tidy(() => {
    if (rest) return logProbs(rest(spliced(x, batch, replace), batch.tokens, at));
    const interventions = [splice(site, batch, replace)];
    return logProbs(model.forward(batch.tokens, { interventions, places: at }).logits!);
  });
}

const rowsOf = (x: Tensor3D) => tf.reshape(x, [x.shape[0] * x.shape[1], x.shape[2]]) as Tensor2D;

/** −log p of the tokens that came, [positions]. */
function crossEntropies(logp: Tensor2D, next: Int32Array): Promise<ArrayLike<number>> {
  const flat = Int32Array.from(next, (token, i) => i * logp.shape[1] + token);
  return valuesOf(() => tf.neg(tf.gather(tf.reshape(logp, [-1]), tf.tensor1d(flat, 'int32'))));
}

/** The values of what is computed. */
async function valuesOf(compute: () => Tensor): Promise<ArrayLike<number>> {
  const result = tf.tidy(compute);
  const values = await result.data();
  result.dispose();
  return values;
}

/**
 * Clean, zero-ablated and mean-ablated passes over the first `documents` items, the same for every method: sums by
 * document of the cross-entropies and of KL(clean ‖ ablated), and what is kept of the clean passes.
 */
export async function prepareLm(
  model: LanguageModel,
  site: string,
  test: ActivationSet,
  trainMean: Float32Array,
  options: LmOptions,
): Promise<Prepared['arrays']> {
  const documents = Math.min(options.documents, test.bounds.length - 1);
  const sums = Object.fromEntries(PREPARED.map((name) => [name, new Float64Array(documents)]));
  let places = 0;
  for (const batch of itemBatches(test, documents, POSITIONS)) places += predictedPositions(batch).at.length;
  const clean = makeCleanPasses(model, places, options.cleanMiB * 2 ** 20);
  for (const batch of itemBatches(test, documents, POSITIONS)) {
    options.signal?.throwIfAborted();
    const { at, next, item } = predictedPositions(batch);
    if (at.length > 0) {
      const x = await activationsOf(test, batch);
      const withInstead = (replace: Replacement) => splicedLogProbs(model, batch, at, site, x, replace);
      const logp = await clean.next(batch, at);
      const zero = withInstead((rows) => tf.zerosLike(rows));
      const mean = withInstead((rows) => tf.add(tf.zerosLike(rows), tf.tensor1d(trainMean)));
      const rows = {
        ce_clean: await crossEntropies(logp, next),
        ce_zero: await crossEntropies(zero, next),
        ce_mean: await crossEntropies(mean, next),
        kl_zero: await valuesOf(() => divergences(logp, zero)),
        kl_mean: await valuesOf(() => divergences(logp, mean)),
      };
      tf.dispose([x, logp, zero, mean]);
      item.forEach((i, row) => {
        sums['tokens']![batch.first + i]!++;
        for (const [name, values] of Object.entries(rows)) sums[name]![batch.first + i]! += values[row]!;
      });
    }
    options.progress(batch.first + batch.items, documents, 'clean and ablated passes');
  }
  const arrays: Prepared['arrays'] = Object.fromEntries(
    Object.entries(sums).map(([name, data]) => [`lm_${name}`, { shape: [documents], data: Float32Array.from(data) }]),
  );
  return { ...arrays, ...clean.arrays() };
}

/** The prepared sums, and beside them those with the method's x̂ spliced in: `ce` and `kl`. */
export async function spliceLm(
  model: LanguageModel,
  site: string,
  test: ActivationSet,
  prepared: Prepared,
  replace: Replacement,
  options: Pick<LmOptions, 'signal' | 'progress'> & {
    /** What `replace` reads, where that is another site than the one that it replaces. */
    source?: ActivationSet;
  },
): Promise<DocumentSums> {
  const sums: DocumentSums = Object.fromEntries(
    PREPARED.map((name) => [name, Float64Array.from(prepared.arrays[`lm_${name}`]!.data)]),
  );
  const documents = sums['tokens']!.length;
  sums['ce'] = new Float64Array(documents);
  sums['kl'] = new Float64Array(documents);
  const clean = keptCleanPasses(model, prepared);
  for (const batch of itemBatches(test, documents, POSITIONS)) {
    options.signal?.throwIfAborted();
    const { at, next, item } = predictedPositions(batch);
    if (at.length > 0) {
      const x = await activationsOf(test, batch);
      const read = options.source && (await activationsOf(options.source, batch));
      const instead: Replacement = read ? () => replace(rowsOf(read)) : replace;
      const logq = splicedLogProbs(model, batch, at, site, x, instead);
      const logp = await clean.next(batch, at);
      const ce = await crossEntropies(logq, next);
      const kl = await valuesOf(() => divergences(logp, logq));
      tf.dispose([x, read ?? [], logp, logq]);
      item.forEach((i, row) => {
        sums['ce']![batch.first + i]! += ce[row]!;
        sums['kl']![batch.first + i]! += kl[row]!;
      });
    }
    options.progress(batch.first + batch.items, documents, 'passes with x̂');
  }
  return sums;
}

/** Share of what `worst` loses against `best` that is recovered: 1 at `best`. */
const recovered = (worst: string, value: string, best: string) => ({
  top: { [worst]: 1, [value]: -1 },
  bottom: { [worst]: 1, [best]: -1 },
});
const perToken = (column: string) => ({ top: { [column]: 1 }, bottom: { tokens: 1 } });
/** The same of a divergence, which is 0 at best. */
const undiverged = (worst: string) => ({ top: { [worst]: 1, kl: -1 }, bottom: { [worst]: 1 } });

/** Numbers of the language model, from the sums; per predicted token, in nats. */
export const LM_RATIOS: Ratios = {
  ce: perToken('ce'),
  ce_clean: perToken('ce_clean'),
  ce_zero: perToken('ce_zero'),
  ce_mean: perToken('ce_mean'),
  ce_loss_score: recovered('ce_zero', 'ce', 'ce_clean'),
  ce_loss_score_mean: recovered('ce_mean', 'ce', 'ce_clean'),
  kl: perToken('kl'),
  kl_score: undiverged('kl_zero'),
  kl_score_mean: undiverged('kl_mean'),
};
