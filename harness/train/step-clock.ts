/** @file How fast the steps of a training are, and how much memory one takes: as it was on this machine. */
import type { TrainingSpeed } from '../contract.ts';
import { peakBytes } from '../num/peak-bytes.ts';
import { medianInterval } from '../num/stats/median.ts';
import { tf } from '../num/tf.ts';

/** Which step of this process is looked at for its memory: the first makes what later ones find. */
const LOOKED_AT = 1;

/** Times steps of `batchSize` vectors. Tensors that there are now are not counted as the training's. */
export function stepClock(batchSize: number) {
  const others = tf.memory().numBytes;
  const seconds: number[] = [];
  let step = 0;
  let peak: number | undefined;
  return {
    /** Runs a step; its numbers are the same as without a clock. */
    time<T>(run: () => T): T {
      if (step++ === LOOKED_AT) {
        const { value, bytes } = peakBytes(run);
        peak = bytes - others;
        return value;
      }
      const started = performance.now();
      const value = run();
      seconds.push((performance.now() - started) / 1000);
      return value;
    },
    /** Undefined where no step was timed. */
    speed(): TrainingSpeed | undefined {
      const median = medianInterval(seconds);
      if (!median) return undefined;
      const { value, ci, n } = median;
      const tokensPerSecond = {
        value: batchSize / value,
        ci95: ci && ([batchSize / ci[1], batchSize / ci[0]] as [number, number]),
        steps: n,
      };
      return { tokensPerSecond, ...(peak === undefined ? {} : { peakBytes: peak }) };
    },
  };
}
