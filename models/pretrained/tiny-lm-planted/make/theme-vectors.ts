/**
 * @file A direction for every theme, for training only. A tiny-lm-planted trained without could be steered by no method: it may
 * look up what its document is about wherever it needs it, and then no direction of the residual stream governs what it
 * writes. Larger models do carry such directions: they are why steering works there. Here one vector for each theme is
 * learned with the model, in two uses at once. Read: after the middle block, every token of a document that has shown its
 * theme must tell it by its product with the vectors. Written: some documents have their theme's vector added there, before
 * they show it; the later blocks learn to follow it. The vectors are dropped afterwards.
 */
import {
  type NamedTensors,
  type Rng,
  type Scalar,
  type Tensor2D,
  type Tensor3D,
  tf,
} from '../../../../harness/contract.ts';
import { sparseCrossEntropy } from '../../../../harness/num/ops/cross-entropy.ts';
import { type CausalLm, causalLmTokenLosses } from '../../../subjects/causal-lm.ts';
import type { DocumentBatch } from './documents.ts';

/** Where themes are read and written. */
export const THEME_SITE = 'blocks.2.hook_resid_post';

/** What the model card declares of it. */
export const PLANTED = `one vector a theme, learned with the model and added after ${THEME_SITE} to part of its training documents`;

const NAME = 'theme_vectors';
/** Weight of the reading loss, a cross-entropy in nats over the themes, beside that of the tokens. */
const READING = 0.2;
/** Share of the documents that are told their theme. */
const TOLD = 0.4;
/** How long a vector is added to them, in units of the residual stream: about as long as the reading loss makes it there. */
const LENGTH = 16;
/** Bounds of the factor to that length, drawn for each document: no one strength shall matter. */
const FACTORS: readonly [number, number] = [0.4, 1.6];

/** One vector a theme, of which only the direction counts: [themes, d]. */
export function initThemeVectors(themes: number, d: number, rng: Rng): NamedTensors {
  const values = rng.fillNormal(new Float32Array(themes * d), 0, d ** -0.5);
  return { [NAME]: tf.tensor2d(values, [themes, d]) };
}

/** The parameters without the vectors. */
export function withoutThemeVectors<T>(params: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(params).filter(([name]) => name !== NAME));
}

/** Mean −ln p of the predicted tokens, with some documents told their theme, and the reading loss of the others. */
export function lossWithThemes(params: NamedTensors, lm: CausalLm, batch: DocumentBatch, rng: Rng): Scalar {
  return tf.tidy(() => {
    const vectors = tf.div(params[NAME]!, tf.norm(params[NAME]!, 2, 1, true)) as Tensor2D;
    const [least, most] = FACTORS;
    const strengths = batch.themes.map(() =>
      rng.uniform() < TOLD ? LENGTH * (least + (most - least) * rng.uniform()) : 0,
    );
    const themes = tf.tensor1d([...batch.themes], 'int32');
    const added = tf.mul(tf.gather(vectors, themes), tf.tensor2d(strengths, [batch.n, 1]));
    const tell = { site: THEME_SITE, apply: (x: Tensor3D) => tf.add(x, tf.expandDims(added, 1)) as Tensor3D };
    const { losses, captured } = causalLmTokenLosses(params, lm, batch, {
      capture: [THEME_SITE],
      interventions: [tell],
    });
    const reading = readingLoss(captured[THEME_SITE]!, vectors, batch, strengths);
    return tf.add(tf.mean(losses), tf.mul(reading, READING)) as Scalar;
  });
}

/** Mean cross-entropy of the theme over the tokens of documents that were not told it, from where they have shown it. */
function readingLoss(x: Tensor3D, vectors: Tensor2D, batch: DocumentBatch, strengths: readonly number[]): Scalar {
  const rows: number[] = [];
  const labels: number[] = [];
  batch.themes.forEach((theme, row) => {
    if (strengths[row]! > 0) return;
    for (let column = batch.shownAt[row]!; column < batch.length && batch.mask[row * batch.length + column]; column++) {
      rows.push(row * batch.length + column);
      labels.push(theme);
    }
  });
  if (rows.length === 0) return tf.scalar(0);
  const states = tf.gather(tf.reshape(x, [-1, x.shape[2]]), tf.tensor1d(rows, 'int32'));
  const products = tf.matMul(states as Tensor2D, vectors, false, true);
  return tf.mean(sparseCrossEntropy(products as Tensor2D, tf.tensor1d(labels, 'int32')));
}
