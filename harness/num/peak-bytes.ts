/** @file The most bytes of tensors that a computation has at one time. */
import { tf } from './tf.ts';

/**
 * Runs `run` once and tells the most bytes of tensors at any time in it, those that were there before among them. What a
 * backend's kernels take for themselves is not seen.
 *
 * TensorFlow.js's own `profile` would do, but runs every kernel inside a promise: an error in one of them ends the process
 * in place of reaching the caller. So the engine's count is followed here, one place where it is kept.
 */
export function peakBytes<T>(run: () => T): { value: T; bytes: number } {
  const { state } = tf.engine();
  let now = state.numBytes;
  let most = now;
  Object.defineProperty(state, 'numBytes', {
    configurable: true,
    enumerable: true,
    get: () => now,
    set(bytes: number) {
      now = bytes;
      if (bytes > most) most = bytes;
    },
  });
  try {
    const value = run();
    return { value, bytes: most };
  } finally {
    Object.defineProperty(state, 'numBytes', { configurable: true, enumerable: true, writable: true, value: now });
  }
}
