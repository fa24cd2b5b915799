/** @file What a subject makes of activations at a site, without computing what comes before it. */

import type { Clip, LanguageModel, TokenBatch } from '../contract/subject.ts';
import { type Tensor2D, type Tensor3D, tf } from '../num/tf.ts';

/** Whether the site is the residual stream before or after a block, which alone decides all that follows. */
export function isResidualStream(site: string): boolean {
  return /\.hook_resid_(pre|post)$/.test(site);
}

/**
 * Logits [n, length, vocab], or those of `places` [1, places, vocab], from activations [n, length, d] at `site` and the
 * tokens that they come from; undefined where they do not decide the logits, or the subject computes whole passes only.
 */
export function restOfText(
  lm: LanguageModel,
  site: string,
): ((x: Tensor3D, tokens: TokenBatch, places?: Int32Array) => Tensor3D) | undefined {
  if (!lm.forwardFrom || !isResidualStream(site)) return undefined;
  return (x, tokens, places) => lm.forwardFrom!(site, x, tokens, { ...(places && { places }) }).logits!;
}

/** Image embeddings [n, dim], not normalised, from activations [n, length, d] at `site`; as {@link restOfText}. */
export function restOfImage(clip: Clip, site: string): ((x: Tensor3D) => Tensor2D) | undefined {
  if (site === 'vision.embed') return (x) => tf.reshape(x, [x.shape[0], x.shape[2]]);
  if (!clip.forwardImageFrom || !isResidualStream(site)) return undefined;
  return (x) => clip.forwardImageFrom!(site, x).embeds!;
}
