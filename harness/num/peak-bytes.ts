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
  const engine = tf.engine();
  const { state } = engine;
  let most = state.numBytes;
  // The state itself stays as it is: as an object with another kind of property it would be slower ever after.
  engine.state = new Proxy(state, {
    set(target, name, value) {
      if (name === 'numBytes') most = Math.max(most, value);
      return Reflect.set(target, name, value);
    },
  });
  try {
    const value = run();
    return { value, bytes: most };
  } finally {
    engine.state = state;
  }
}
