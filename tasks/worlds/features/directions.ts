/** @file Directions of features: random ones, made as nearly orthogonal as there is room for. */
import { type Rng, type Tensor2D, tf } from '../../../harness/contract.ts';
import { createAdam, unitNormRows } from '../../../harness/kit/index.ts';
import type { FeatureWorldConfig } from './configuration.ts';

/**
 * The gradient of Σ over i ≠ j of (eᵢ·eⱼ)² + n Σ (eᵢ·eᵢ − 1)². Σⱼ (eᵢ·eⱼ) eⱼ is eᵢ EᵀE: a matrix [d, d] in place of the
 * products of all pairs, [n, n], which neither fit into memory nor into a minute.
 */
function gradient(e: Tensor2D): Tensor2D {
  return tf.tidy(() => {
    const squares = tf.sum(tf.square(e), 1, true);
    const pairs = tf.sub(tf.matMul(e, tf.matMul(e, e, true, false)), tf.mul(squares, e));
    const lengths = tf.mul(tf.mul(tf.sub(squares, 1), e.shape[0]), e);
    return tf.mul(tf.add(pairs, lengths), 4) as Tensor2D;
  });
}

/** Unit directions, row-major [features, d]. Needs a backend, on whose rounding the last bits depend. */
export async function orthogonalisedDirections(
  { features, d, orthogonalise: { steps, lr } }: Pick<FeatureWorldConfig, 'features' | 'd' | 'orthogonalise'>,
  rng: Rng,
): Promise<Float32Array> {
  const drawn = rng.fillNormal(new Float32Array(features * d));
  const e = tf.tidy(() => tf.variable(unitNormRows(tf.tensor2d(drawn, [features, d]))));
  const adam = createAdam({ e });
  try {
    for (let step = 0; step < steps; step++) {
      const grad = gradient(e as Tensor2D);
      adam.step({ e: grad }, lr);
      grad.dispose();
    }
    const unit = tf.tidy(() => unitNormRows(e as Tensor2D));
    const values = (await unit.data()) as Float32Array;
    unit.dispose();
    return values;
  } finally {
    adam.dispose();
    e.dispose();
  }
}
