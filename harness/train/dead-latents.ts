/** @file Bookkeeping of dead latents, counted in tokens. */

/** Which latents have not fired for long. */
export interface DeadLatents {
  /** Adds one batch of `tokens` inputs; `fired[i]` ≠ 0 where latent i fired in it. */
  update(fired: ArrayLike<number>, tokens: number): void;
  /** 1 where a latent has not fired for at least `deadAfterTokens` tokens; changed in place by `update`. */
  dead: Float32Array;
  deadCount(): number;
  /** Whether the last update changed `dead`. */
  changed(): boolean;
  /** [d_sae] tokens since each latent last fired, capped at 2^31 − 1: all that a resume needs. */
  sinceFired: Int32Array;
}

/** Largest count kept; beyond it a latent is dead under any setting. */
const CAP = 2147483647;

/**
 * Starts with every latent just fired, or from the `sinceFired` of a checkpoint.
 *
 * @param deadAfterTokens Window in tokens: recipes written in steps must be multiplied by their batch size.
 */
export function createDeadLatents(d_sae: number, deadAfterTokens: number, sinceFired?: Int32Array): DeadLatents {
  const since = sinceFired ? Int32Array.from(sinceFired) : new Int32Array(d_sae);
  const limit = Math.min(deadAfterTokens, CAP);
  const dead = Float32Array.from(since, (tokens) => (tokens >= limit ? 1 : 0));
  let count = dead.reduce((sum, flag) => sum + flag, 0);
  let changed = true;
  return {
    dead,
    sinceFired: since,
    deadCount: () => count,
    changed: () => changed,
    update(fired, tokens) {
      changed = false;
      count = 0;
      for (let i = 0; i < d_sae; i++) {
        since[i] = fired[i] ? 0 : Math.min(CAP, since[i]! + tokens);
        const flag = since[i]! >= limit ? 1 : 0;
        if (flag !== dead[i]) changed = true;
        dead[i] = flag;
        count += flag;
      }
    },
  };
}
