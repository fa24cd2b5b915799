/** @file Trained parameters replaced by random ones of the same spread: the control where nothing was learned. */
import { type NamedTensors, tf } from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';

/** One model, not a sample of them: what varies between seeds of a run is the method. */
const SEED = 0;

/**
 * Draws every tensor but those of `keep` (names without `.weight`) from a normal distribution with the mean and the
 * standard deviation of its trained values (Heap et al. 2025, arXiv:2501.17727). Each has its own random stream, by its
 * name. Takes the tensors over.
 */
export function drawAnew(params: NamedTensors, keep: readonly string[]): NamedTensors {
  const root = createRng(SEED);
  const drawn: NamedTensors = {};
  for (const [name, tensor] of Object.entries(params)) {
    if (keep.includes(name.replace(/\.weight$/, ''))) {
      drawn[name] = tensor;
      continue;
    }
    const { mean, std } = spreadOf(tensor.dataSync() as Float32Array);
    const values = root.fork(name).fillNormal(new Float32Array(tensor.size), mean, std);
    drawn[name] = tf.tensor(values, tensor.shape, 'float32');
    tensor.dispose();
  }
  return drawn;
}

/** Mean and population standard deviation. */
function spreadOf(values: Float32Array): { mean: number; std: number } {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, std: Math.sqrt(squares / values.length) };
}
