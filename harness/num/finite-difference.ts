/** @file Gradients by central differences of a float64 reference, against which the ops' gradients are tested. */
import { allclose, type Tolerance } from './allclose.ts';
import { type Scalar, type Tensor, tf } from './tf.ts';

/** A test input: values in row-major order. */
export interface Input {
  shape: number[];
  values: number[];
}

/** ∂f/∂x at each element of each input, by central differences in float64. */
export function finiteDifference(
  f: (...inputs: number[][]) => number,
  inputs: readonly number[][],
  step = 1e-5,
): number[][] {
  return inputs.map((values, which) =>
    values.map((value, i) => {
      const at = (moved: number) => {
        const changed = inputs.map((other, j) => (j === which ? other.with(i, moved) : [...other]));
        return f(...changed);
      };
      return (at(value + step) - at(value - step)) / (2 * step);
    }),
  );
}

/**
 * Checks `op`'s value and its gradient for every input against a float64 `reference`, and that no tensor leaks.
 * `op` must reduce to a scalar; the default tolerance fits float32 on every backend.
 */
export function checkGradient(
  op: (...inputs: Tensor[]) => Scalar,
  reference: (...inputs: number[][]) => number,
  inputs: readonly Input[],
  tolerance: Tolerance = { rtol: 2e-4, atol: 2e-5 },
): void {
  const before = tf.memory().numTensors;
  const values = inputs.map((input) => input.values);
  const expected = finiteDifference(reference, values);
  tf.tidy(() => {
    const tensors = inputs.map(({ shape, values: data }) => tf.tensor(data, shape));
    const { value, grads } = tf.valueAndGrads(op)(tensors);
    allclose(value.dataSync(), [reference(...values)], tolerance, 'value');
    grads.forEach((grad, i) => {
      if (grad.shape.join() !== inputs[i]!.shape.join()) throw new Error(`gradient ${i} has shape [${grad.shape}]`);
      allclose(grad.dataSync(), expected[i]!, tolerance, `gradient of input ${i}`);
    });
  });
  const after = tf.memory().numTensors;
  if (after !== before) throw new Error(`${after - before} tensors leaked`);
}
