/** @file What follows from the number of tokens: batch, steps, and after how long a latent counts as dead. */
import type { TrainingOptions } from '../contract.ts';

/** √tokens / batch: 100,000 tokens give 1,562 batches of 64, 10^9 tokens 250,000 of 4,096. */
const TOKENS_ROOT = 4.5;
const BATCHES = { least: 16, most: 4096 };
/** What brings dead latents back sets in after this part of a run; Gao et al. 2024 have 10^7 tokens. */
const DEAD = { part: 0.05, most: 1e7 };
/** At the end those are dead that were silent for this part of it, or for that many tokens. */
const SILENT = { part: 0.25, most: 1e7 };

/**
 * A power of two that grows with the root of the tokens, so that a longer run has both more steps and larger batches.
 * With a fixed batch of 512, 100,000 tokens would be 195 steps, in which no variant gets far.
 */
export function defaultBatch(tokens: number): number {
  const size = 2 ** Math.round(Math.log2(Math.sqrt(Math.max(1, tokens)) / TOKENS_ROOT));
  return Math.min(BATCHES.most, Math.max(BATCHES.least, size));
}

/** Whole batches that the tokens make, at least one. */
export function stepsOf({ tokens, batchSize }: Pick<TrainingOptions, 'tokens' | 'batchSize'>): number {
  return Math.max(1, Math.floor(tokens / batchSize));
}

/** Tokens without a firing after which a latent counts as dead in training. */
export function defaultDeadAfter(tokens: number): number {
  return Math.min(DEAD.most, Math.max(1, Math.round(DEAD.part * tokens)));
}

/** Tokens at the end of a run in which a latent must fire once to count as alive. */
export function silentAfter(tokens: number): number {
  return Math.min(SILENT.most, Math.max(1, Math.round(SILENT.part * tokens)));
}
