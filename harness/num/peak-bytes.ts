/** @file The most bytes of tensors that a computation has at one time. */
import { tf } from './tf.ts';

/**
 * Runs `run` once and tells the most bytes of tensors after any operation in it, those that were there before among them. What a
 * backend's kernels take for themselves is not seen. Slower than a plain run, with the same numbers.
 */
export async function peakBytes<T>(run: () => T): Promise<{ value: T; bytes: number }> {
  const before = tf.memory().numBytes;
  let outcome: { value: T } | { error: unknown } | undefined;
  // The profiler stays on after an error of what it runs: none may reach it.
  const { peakBytes: most } = await tf.profile(() => {
    try {
      outcome = { value: run() };
    } catch (error) {
      outcome = { error };
    }
    return [];
  });
  if ('error' in outcome!) throw outcome.error;
  return { value: outcome!.value, bytes: Math.max(before, most) };
}
